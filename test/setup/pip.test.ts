import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SetupHarness } from './setup-harness.ts';

// The real pip, which takes the harness's wheel from a folder.

const PINNED = 'a'.repeat(64);

let harness: SetupHarness;

beforeEach(() => {
  harness = new SetupHarness();
  harness.tool('python3', 'exec "$python" "$@"');
});

afterEach(() => {
  harness.remove();
});

test('unpacks a wheel that has the pinned hash', async () => {
  harness.wheel({ content: 'from pip' });

  expect(await harness.run(['-e', ''], { env: { PIP_FIND_LINKS: join(harness.folder, 'wheels') } })).toMatchObject({
    exitCode: 0,
  });
  expect(readFileSync(join(harness.toolchain, 'libtensorflow/lib/libtensorflow_cc.so.2'), 'utf8')).toBe('from pip');
});

test('refuses a wheel with another hash, and says expected and found', async () => {
  harness.wheel({ pinned: PINNED });

  const { exitCode, stderr } = await harness.run(['-e', ''], {
    env: { PIP_FIND_LINKS: join(harness.folder, 'wheels') },
  });

  expect(exitCode).toBe(1);
  expect(stderr).toMatch(new RegExp(`Expected sha256 ${PINNED}\n +Got +[0-9a-f]{64}\n`));
  expect(existsSync(join(harness.toolchain, 'libtensorflow'))).toBe(false);
});

test('says so when pip has no connection', async () => {
  const env = { PIP_NO_INDEX: '0', PIP_INDEX_URL: 'http://127.0.0.1:9/simple' };

  const { stderr } = await harness.run(['-e', ''], { env });

  expect(stderr).toContain('labelqueue setup: pip could not fetch tensorflow-cpu 2.18.1:\n\n');
  expect(stderr).toContain('Connection refused');
});
