import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const PROJECT = join(import.meta.dirname, '../..');
const page = readFileSync(join(PROJECT, 'docs/architecture.md'), 'utf8');

const files = execFileSync('git', ['ls-files'], { cwd: PROJECT, encoding: 'utf8' }).trim().split('\n');

/** The folders directly below a folder of the project, as paths that end with a slash. */
function foldersIn(parent: string): string[] {
  const below = files.filter((file) => file.startsWith(parent)).map((file) => file.slice(parent.length).split('/'));
  return [...new Set(below.flatMap(([name = '', ...rest]) => (rest.length > 0 ? [`${parent}${name}/`] : [])))];
}

const folders = ['', 'shared/', 'cli/'].flatMap(foldersIn).filter((folder) => !folder.startsWith('.'));

test('docs/architecture.md names each folder of the project, of shared/ and of cli/', () => {
  expect(folders).toEqual(expect.arrayContaining(['cli/', 'shared/contract/', 'cli/commands/']));
  expect(folders.filter((folder) => !page.includes(`\`${folder}`))).toEqual([]);
});
