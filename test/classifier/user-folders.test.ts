import { chmod, chown, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeFolder } from '../../shared/runtime/make-folder.ts';
import { cacheFolder, cacheFolderPath, checkOwnFolder, stateFolder } from '../../shared/runtime/user-folders.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';

const USER = process.getuid?.() ?? 0;
const ANOTHER_USER = 12_345;

let folder: TemporaryFolder;
let around: string;
let cache: string;
beforeEach(async () => {
  folder = await createTemporaryFolder();
  around = join(folder.path, 'around');
  cache = join(around, 'labelqueue');
  process.env['XDG_CACHE_HOME'] = around;
});
afterEach(async () => {
  delete process.env['XDG_CACHE_HOME'];
  await folder[Symbol.asyncDispose]();
});

test.each([
  [{}, '.cache/labelqueue', '.local/state/labelqueue'],
  [{ XDG_CACHE_HOME: '', XDG_STATE_HOME: '' }, '.cache/labelqueue', '.local/state/labelqueue'],
  [{ XDG_CACHE_HOME: 'relative', XDG_STATE_HOME: '../up' }, '.cache/labelqueue', '.local/state/labelqueue'],
])('with %j, the folders are those in the home folder', (environment, inHome, stateInHome) => {
  expect(cacheFolderPath(environment)).toBe(join(homedir(), inHome));
  expect(stateFolder(environment)).toBe(join(homedir(), stateInHome));
});

test('absolute paths in the environment are used', () => {
  expect(cacheFolderPath({ XDG_CACHE_HOME: '/c' })).toBe('/c/labelqueue');
  expect(stateFolder({ XDG_STATE_HOME: '/s' })).toBe('/s/labelqueue');
});

test('a new cache folder can be written by its owner only, whatever the umask', async () => {
  const umask = process.umask(0);
  try {
    expect(cacheFolder()).toBe(cache);
  } finally {
    process.umask(umask);
  }
  for (const made of [around, cache]) expect((await stat(made)).mode & 0o777).toBe(0o700);
});

test.each([0o770, 0o707, 0o777, 0o1777])('a cache folder with the permissions %i is refused', async (mode) => {
  await mkdir(cache, { recursive: true });
  await chmod(cache, mode);
  const shown = (mode & 0o777).toString(8);
  expect(cacheFolder).toThrow(
    `expected ${cache} to be writable by its owner only, found the permissions ${shown}: other users could change the programs in it; delete it, run chmod go-w on it, or set XDG_CACHE_HOME to a folder of your own`,
  );
});

test('a folder around it that all users may write to is refused, unless only owners can rename in it', async () => {
  await mkdir(cache, { recursive: true });
  await chmod(cache, 0o700);
  await chmod(around, 0o777);
  expect(cacheFolder).toThrow(`expected ${around} not to be writable by all users, found the permissions 777`);
  await chmod(around, 0o1777);
  expect(cacheFolder()).toBe(cache);
});

describe('a folder of another user', () => {
  /** Root can make one; for other users, the same folder is another user's to somebody else. */
  async function ofAnotherUser(path: string): Promise<number> {
    if (USER !== 0) return ANOTHER_USER;
    await chown(path, ANOTHER_USER, ANOTHER_USER);
    return USER;
  }

  test('is refused with the owner that was found', async () => {
    makeFolder(cache, 0o700);
    const user = await ofAnotherUser(cache);
    const owner = user === USER ? ANOTHER_USER : USER;
    expect(() => checkOwnFolder(cache, user)).toThrow(
      new RegExp(
        `^expected ${cache} to belong to this user \\(id ${user}\\).*, found the user id ${owner}: that user could`,
      ),
    );
  });

  test('is accepted from root', () => {
    checkOwnFolder('/', ANOTHER_USER);
    expect(() => checkOwnFolder('/', 0)).not.toThrow();
  });

  test('is refused behind a link of the own user', async () => {
    makeFolder(around);
    const theirs = join(folder.path, 'theirs');
    makeFolder(theirs, 0o700);
    await symlink(theirs, cache);
    const user = await ofAnotherUser(theirs);
    expect(() => checkOwnFolder(cache, user)).toThrow('to belong to this user');
  });
});

test.each(['/proc/x', '/dev/null'])('with XDG_CACHE_HOME=%s, the command prints one line with what to do', (place) => {
  process.env['XDG_CACHE_HOME'] = place;
  expect(cacheFolder).toThrow(
    new RegExp(
      `^the cache folder ${place}/labelqueue cannot be made \\(.+: .+\\); set XDG_CACHE_HOME to a folder of your own$`,
    ),
  );
});

test('a folder is made with those above it, and an existing one is left as it is', async () => {
  const deep = join(folder.path, 'a/b/c');
  makeFolder(deep, 0o700);
  await writeFile(join(deep, 'file'), '');
  makeFolder(deep);
  makeFolder(`${deep}/`);
  expect(await readdir(deep)).toEqual(['file']);
  expect((await stat(deep)).mode & 0o777).toBe(0o700);
  expect(() => makeFolder(join(deep, 'file'))).toThrow('EEXIST');
  expect(() => makeFolder(join(deep, 'file/below'))).toThrow('ENOTDIR');
  await symlink('nowhere', join(deep, 'link'));
  expect(() => makeFolder(join(deep, 'link/below'))).toThrow('EEXIST');
});
