import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|notice|copying)/i;

/**
 * The licences of what is in the bundle, as they ask for; sharp and the model bring theirs along.
 *
 * @param packages their folders in the project
 */
export function noticesText(root: string, packages: readonly string[]): string {
  const apache = readFileSync(join(root, 'LICENSE'), 'utf8');
  const tensorflow = [
    `TensorFlow (libtensorflow) and TensorFlow.js, Copyright The TensorFlow Authors, Apache-2.0\n\n${apache}`,
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
