import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startCommand } from '../support/command.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const ROOT = join(import.meta.dirname, '../..');
const document = readFileSync(join(ROOT, 'docs/models.md'), 'utf8');
const walk = /## Your own labels in five minutes\n(.*?)\n### /s.exec(document)?.[1] ?? '';
/** In their order, as a reader would paste them. */
const [teach = '', local = '', enqueue = '', ...more] = Array.from(
  walk.matchAll(/^```sh\n(.*?)^```$/gms),
  ([, text = '']) => text,
);

/** TensorFlow looks at hundreds of views, on a machine that may be busy. */
jest.setTimeout(180_000);

const [folder] = await sharedByTests(createTemporaryFolder());
let environment: Record<string, string>;
beforeAll(async () => {
  for (const name of ['bin', 'samples']) await symlink(join(ROOT, name), join(folder.path, name));
  environment = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: process.env['HOME'] ?? '',
    LABELQUEUE_STATE_DIR: join(folder.path, 'state'),
  };
});

/** Runs a block in an empty folder, in a shell that stops at the first command that fails. */
async function run(block: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-ec', block], { cwd: folder.path, env: environment });
  return stdout;
}

test('the walk-through from photos to labels in S3 works as it is printed', async () => {
  expect(more).toEqual([]);
  const output = await run(teach);
  expect(output).toMatch(/^60 photos of 3 labels: learned from 48, tested with the others$/m);
  expect(output).toMatch(/^grass \(score = [\d.]+\)$/m);
  const page = await readFile(join(folder.path, 'materials.html'), 'utf8');
  expect(/<title>(.*?)<\/title>/.exec(page)?.[1]).toBe('materials · labelqueue teach');

  const [, options = ''] = /^bin\/labelqueue local (.*)\n$/.exec(local) ?? [];
  const model = options.replace('materials', join(folder.path, 'materials'));
  const service = startCommand(['local', '--port', '0', ...model.split(' ')], { environment });
  try {
    await service.says(/^export RESULTS_BUCKET=.*\n/m);
    expect((await run(enqueue)).trim().split('\n').at(-1)).toBe('20');
  } finally {
    service.interrupt();
    await service.ended;
  }
});
