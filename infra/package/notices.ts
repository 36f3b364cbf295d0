import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|notice|copying)/i;

/**
 * The licences of what is in the bundle, as they ask for; sharp and the model bring theirs along.
 *
 * @param packages their folders in the project
 */
export async function noticesText(root: string, packages: readonly string[]): Promise<string> {
  const tensorflow = [
    'TensorFlow (libtensorflow), Copyright The TensorFlow Authors, Apache-2.0: the text is that of @tensorflow/tfjs-node.',
  ];
  return [...tensorflow, ...packages.map((folder) => noticeOf(join(root, folder)))].join(`\n${'='.repeat(80)}\n`);
}

function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((found) => found.isFile() && LICENCE_FILE.test(found.name))
    .map((found) => readFileSync(join(folder, found.name), 'utf8').trim());
  return [`${name} ${version}, ${license}`, ...texts, ''].join('\n\n');
}
