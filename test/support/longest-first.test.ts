import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import LongestFirst, { LONGEST } from './longest-first.ts';
import { sharedByTests } from './shared-by-tests.ts';

type Tests = Parameters<LongestFirst['sort']>[0];

const TESTS = join(import.meta.dirname, '..');
const [folder] = await sharedByTests(createTemporaryFolder());

const pathOf = (name: string) => join(TESTS, `${name}.test.ts`);
/** In place of sizes: the later the name in the alphabet, the larger the file. */
const sizeOf = (path: string) => path.charCodeAt(TESTS.length + 1);

/** The files in the order of the sequencer. `cached` are those that Jest has measured, with their milliseconds. */
async function ordered(names: readonly string[], cached: Record<string, number> = {}): Promise<string[]> {
  const sequencer = new LongestFirst({ contexts: [], globalConfig: {} as never });
  const times = Object.entries(cached).map(([name, milliseconds]) => [pathOf(name), [1, milliseconds]]);
  const cache = await folder.write('perf-cache', JSON.stringify(Object.fromEntries(times)));
  sequencer._getCachePath = () => cache;
  const context = { config: { cache: true }, hasteFS: { getSize: sizeOf } };
  const tests = names.map((name) => ({ path: pathOf(name), context })) as unknown as Tests;
  return [...(await sequencer.sort(tests))].map(({ path }) => path.slice(TESTS.length + 1, -'.test.ts'.length));
}

test('files that are known to be long start first, in the order of the list, the others by their size', async () => {
  const names = ['a', LONGEST[2], 'z', LONGEST[0], LONGEST[1]];
  expect(await ordered(names)).toEqual([LONGEST[0], LONGEST[1], LONGEST[2], 'z', 'a']);
});

test('a file that Jest has measured stands where Jest puts it', async () => {
  const cached = { a: 9_000, [LONGEST[0]]: 2_000, z: 5_000 };
  expect(await ordered(['z', LONGEST[0], 'a', LONGEST[1]], cached)).toEqual([LONGEST[1], 'a', 'z', LONGEST[0]]);
});

test('the list has files that exist, each once', () => {
  expect(LONGEST.filter((name) => !existsSync(pathOf(name)))).toEqual([]);
  expect(new Set(LONGEST).size).toBe(LONGEST.length);
});
