import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createFolderAtomically, replaceFolderAtomically } from '../../shared/runtime/atomic-folder.ts';
import { abandonedBeside } from '../../shared/runtime/unfinished.ts';
import { eventually } from '../../testkit/eventually.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { namedInAnotherContainer } from '../support/left-behind.ts';

let around: TemporaryFolder;
let place: string;
beforeEach(async () => {
  around = await createTemporaryFolder();
  place = join(around.path, 'model');
});
afterEach(async () => {
  await around[Symbol.asyncDispose]();
});

function filled(content: string) {
  return (folder: string) => writeFile(join(folder, 'file'), content);
}

const never = async () => {
  throw new Error('failed');
};
const content = () => readFile(join(place, 'file'), 'utf8');

test('an existing folder is left as it is, even one that appears during the work', async () => {
  expect(await createFolderAtomically(place, filled('first'))).toBe(true);
  expect(await createFolderAtomically(place, filled('second'))).toBe(false);
  expect(await content()).toBe('first');
  const other = join(around.path, 'other');
  const faster = async (folder: string) => {
    await filled('slower')(folder);
    await mkdir(other);
    await filled('faster')(other);
  };
  expect(await createFolderAtomically(other, faster)).toBe(false);
  expect(await readFile(join(other, 'file'), 'utf8')).toBe('faster');
  expect((await readdir(around.path)).sort()).toEqual(['model', 'other']);
});

/** What a process that ended left, named as it names what it works on. */
function leftByAnotherProcess(): string {
  const unfinished = pathToFileURL(join(import.meta.dirname, '../../shared/runtime/unfinished.ts')).href;
  const script = `import { nameBeside } from ${JSON.stringify(unfinished)};
    import { mkdirSync } from 'node:fs';
    const path = nameBeside(${JSON.stringify(place)});
    mkdirSync(path);
    console.log(path);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return stdout.trim();
}

test("what killed processes have left is removed, and users' folders with similar names are not", async () => {
  const names = ['model.unfinished-backup', 'model.unfinished-', 'model.unfinished-1e3', 'model.unfinished-4194305'];
  for (const name of names) await mkdir(join(around.path, name));
  const left = leftByAnotherProcess();
  expect(await readdir(around.path)).toContain(basename(left));
  await createFolderAtomically(place, filled(''));
  expect((await readdir(around.path)).sort()).toEqual(['model', ...names].sort());
});

test('what a process of another container works on is left alone, until it has not changed for an hour', async () => {
  const theirs = namedInAnotherContainer(place);
  await mkdir(theirs);
  await createFolderAtomically(place, filled(''));
  expect(await readdir(around.path)).toEqual(['model', basename(theirs)]);
  const { ctimeMs } = await stat(theirs);
  expect(abandonedBeside(place, ctimeMs + 3_599_000)).toEqual([]);
  expect(abandonedBeside(place, ctimeMs + 3_601_000)).toEqual([theirs]);
});

test('a process keeps what it works on, though the clock of the file system is behind its own', async () => {
  const { timeOrigin } = performance;
  Object.defineProperty(performance, 'timeOrigin', { value: Date.now() + 3_000, configurable: true });
  try {
    expect(await createFolderAtomically(place, filled('kept'))).toBe(true);
  } finally {
    Object.defineProperty(performance, 'timeOrigin', { value: timeOrigin, configurable: true });
  }
  expect(await content()).toBe('kept');
});

test('two calls of one process do not touch what the other one works on', async () => {
  const first = Promise.withResolvers<void>();
  const slow = createFolderAtomically(place, async (folder) => {
    await filled('slow')(folder);
    await first.promise;
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('slow');
  });
  expect(await createFolderAtomically(place, filled('fast'))).toBe(true);
  first.resolve();
  expect(await slow).toBe(false);
  expect(await content()).toBe('fast');
  expect(await readdir(around.path)).toEqual(['model']);
});

test('while a folder is being filled, its age starts again every minute', async () => {
  jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'setImmediate', 'Date'] });
  try {
    await createFolderAtomically(place, async (folder) => {
      await utimes(folder, 0, 0);
      jest.advanceTimersByTime(61_000);
      await eventually('a heartbeat', async () => (await stat(folder)).mtimeMs > 0);
    });
  } finally {
    jest.useRealTimers();
  }
});

test('a replaced folder is the old one until the new one is complete', async () => {
  await createFolderAtomically(place, filled('old'));
  const replacing = async (folder: string) => {
    await filled('new')(folder);
    expect(await content()).toBe('old');
  };
  await replaceFolderAtomically(place, replacing, async () => {});
  expect(await content()).toBe('new');
  expect(await readdir(around.path)).toEqual(['model']);
});

test.each([
  ['the new one cannot be written', never, async () => {}],
  ['the last check fails', filled('new'), never],
])('the old folder stays when %s', async (_case, fill, check) => {
  await createFolderAtomically(place, filled('old'));
  await expect(replaceFolderAtomically(place, fill, check)).rejects.toThrow('failed');
  expect(await content()).toBe('old');
  expect(await readdir(around.path)).toEqual(['model']);
});
