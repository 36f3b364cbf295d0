import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { checkLesson } from '../../../cli/teach/label-rules.ts';
import { readLabelFolders } from '../../../cli/teach/read-folder.ts';
import { readLabelTable } from '../../../cli/teach/read-table.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { runCommand } from '../../support/command.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

/** Empty files by their names, whose content nobody reads here. */
async function write(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    if (!name.endsWith('/')) await folder.write(name, '');
    else await mkdir(join(folder.path, name), { recursive: true });
  }
}

test('a folder per label, with the images in it and below it; what is ignored is counted', async () => {
  await write('cats/1.jpg', 'cats/more/2.JPEG', 'cats/.DS_Store', 'cats/notes.txt', 'cats/.git/3.jpg', 'dogs/4.webp');
  await write('.DS_Store', '__MACOSX/cats/._1.jpg', 'readme.md', 'dogs/Thumbs.db');
  await symlink('.', join(folder.path, 'loop'));
  await symlink('..', join(folder.path, 'cats/loop'));
  await symlink('nowhere.jpg', join(folder.path, 'cats/lost.jpg'));
  await symlink('1.jpg', join(folder.path, 'cats/link.jpg'));
  const { photos, labels, leftOut } = await readLabelFolders(folder.path);
  expect(labels).toEqual(['cats', 'dogs']);
  expect(photos.map(({ label, name }) => [label, name])).toEqual([
    ['cats', 'cats/1.jpg'],
    ['cats', 'cats/link.jpg'],
    ['cats', 'cats/more/2.JPEG'],
    ['dogs', 'dogs/4.webp'],
  ]);
  expect(photos[0]?.source).toBe(join(folder.path, 'cats/1.jpg'));
  expect(Object.fromEntries(leftOut)).toEqual({
    'hidden files (.DS_Store, __MACOSX and the like)': 5,
    'files beside the folders of the labels': 1,
    'files that are not images by the ends of their names': 1,
    'links beside the folders of the labels': 1,
    'links to folders': 1,
    'links that lead nowhere': 1,
  });
});

const TWO = ['cats/1.jpg', 'cats/2.jpg'];

test.each<[string, string[], string]>([
  [
    'nothing at all',
    [],
    'expected a folder per label with photos in it, or a table of photos and labels (.csv), found no photo',
  ],
  ['photos without folders', ['1.jpg', '2.jpg'], 'found no photo'],
  ['one label', TWO, 'expected photos of at least two labels, got only "cats": one label has nothing to differ from'],
  [
    'a label without photos',
    [...TWO, 'dogs/', 'birds/a.txt'],
    'expected photos for each label, found none for "birds", "dogs"',
  ],
  ['a label with one photo', [...TWO, 'dogs/1.jpg'], 'expected at least two photos per label, got one for "dogs"'],
  [
    'labels that differ in case',
    [...TWO, 'Cats/1.jpg', 'Cats/2.jpg'],
    'expected labels that differ by more than upper and lower case, got "Cats", "cats"',
  ],
  ['a label that moves the cursor', [...TWO, 'a\u001b[2Jb/1.jpg'], '"a\\u001b[2Jb" has characters that cannot be seen'],
  ['a label of two lines', [...TWO, 'a\nb/1.jpg'], '"a\\nb" has characters that cannot be seen'],
  ['a label that is long', [...TWO, `${'x'.repeat(101)}/1.jpg`], 'has 101 characters, more than 100'],
  ['a label of blanks', [...TWO, '  /1.jpg'], '"  " is empty'],
])('refuses %s, and says what is wrong', async (_case, names, message) => {
  await write(...names);
  const lesson = await readLabelFolders(folder.path);
  expect(() => checkLesson(lesson, 'photos')).toThrow(message);
  expect(() => checkLesson(lesson, 'photos')).toThrow(/^photos: /);
});

test('the number of photos is limited', () => {
  const photos = Array.from({ length: 20_001 }, (_, index) => {
    const label = index % 2 === 0 ? 'a' : 'b';
    return { label, name: `${index}`, source: `${index}` };
  });
  const labels = ['a', 'b'];
  expect(() => checkLesson({ photos, labels, leftOut: new Map() }, 'photos')).toThrow(
    'expected at most 20000 photos, got 20001',
  );
});

test.each([
  ['with a header', 'id,Label,Image URL\n1,cats,a.jpg\n2,dogs,https://example.com/b.jpg?x=1\n'],
  ['without a header', 'a.jpg,cats\nhttps://example.com/b.jpg?x=1,dogs\n'],
  [
    'with semicolons, quotes and a byte order mark',
    '\uFEFFphoto;class\r\n"a.jpg";cats\r\n\r\nhttps://example.com/b.jpg?x=1;"dogs"\r\n',
  ],
])('reads a table %s: paths are relative to it, URLs stay', async (_case, text) => {
  const path = await folder.write('photos.csv', text);
  expect(await readLabelTable(path)).toEqual({
    labels: ['cats', 'dogs'],
    photos: [
      { label: 'cats', name: 'a.jpg', source: join(folder.path, 'a.jpg') },
      { label: 'dogs', name: 'https://example.com/b.jpg?x=1', source: 'https://example.com/b.jpg?x=1' },
    ],
    leftOut: new Map(),
  });
});

test.each([
  ['a row without a label', 'a.jpg,cats\nb.jpg,\n', 'line 2: expected a photo and a label, got no label'],
  ['a row without a photo', 'path,label\n,cats\n', 'line 2: expected a photo and a label, got no photo'],
  [
    'columns of other names',
    'a,b,c\n1,2,3\n',
    'expected two columns, the photo and the label, or a header line with a column named path,',
  ],
  ['a row with a field too many', 'a.jpg,cats\nb.jpg,dogs,birds\n', 'line 2: '],
  ['nothing', '\n\n', 'expected rows of a photo and a label, got none'],
  ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), 'got UTF-32'],
])('refuses a table with %s, and names the line', async (_case, content, message) => {
  const path = await folder.write('photos.csv', content);
  const reading = readLabelTable(path);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(`${path}`);
});

/** Before TensorFlow is loaded or a photo is read. */
async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['model', 'teach', ...args]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.split('\n')).toHaveLength(2);
  return stderr;
}

test('says on one line what is wrong with its input', async () => {
  expect(await refusal(join(folder.path, 'nowhere'))).toMatch(/^labelqueue: .*nowhere: no such file or folder\n$/);
  await write('photos/cats/1.jpg', 'photos/cats/2.jpg');
  expect(await refusal(join(folder.path, 'photos'), '--out', join(folder.path, 'model'))).toMatch(
    /^labelqueue: .*photos: expected photos of at least two labels, got only "cats"/,
  );
});

test('does not replace an existing folder, even with --force, unless it created it', async () => {
  const mine = await folder.write('notes.txt', 'a day of work\n');
  const taught = ['anything', '--out', folder.path];
  expect(await refusal(...taught)).toContain(
    'exists already: choose another folder with --out, or replace it with --force',
  );
  expect(await refusal(...taught, '--force')).toContain('it has no teaching.json, so it was not made by this command');
  expect(await refusal('anything', '--out', mine, '--force')).toContain('exists already');
  expect(await refusal('anything', '--out', join(folder.path, 'no/where'))).toMatch(/no folder .*\/no: make it first/);
  expect(await refusal('anything', '--out', join(folder.path, 'model'), '--report', mine)).toContain(
    'notes.txt exists already: choose another name, or replace it with --force',
  );
  expect(await readFile(mine, 'utf8')).toBe('a day of work\n');
});
