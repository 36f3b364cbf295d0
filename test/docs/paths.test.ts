import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join, matchesGlob } from 'node:path';
import { expect, test } from '@jest/globals';

const PROJECT = join(import.meta.dirname, '../..');
const files = execFileSync('git', ['ls-files'], { cwd: PROJECT, encoding: 'utf8' }).trim().split('\n');
const topFolders = new Set(files.flatMap((file) => (file.includes('/') ? [file.replace(/\/.*/, '')] : [])));
const fileNames = new Set(files.map((file) => basename(file)));
/** What was there when a version was released stays in the changelog under its name of then. */
const pages = files.filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md');

/** Names that only source files of the project have; `job.json` or `index.mjs` may be what a program writes. */
const SOURCE = /\.(ts|js|c|py)$/;

test.each(pages)('%s names source files and folders of the project that exist', (page) => {
  const text = readFileSync(join(PROJECT, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  const named = [...text.matchAll(/`([^`\s]+)`/g)].map(([, name = '']) => name);
  expect([...new Set(named)].filter((name) => !exists(name))).toEqual([]);
});

function exists(name: string): boolean {
  if (/[<>…:${]/.test(name) || /^\.\w+$/.test(name)) return true;
  if (!name.includes('/')) return !SOURCE.test(name) || name.startsWith('*') || fileNames.has(name);
  if (!topFolders.has(name.replace(/\/.*/, ''))) return !SOURCE.test(name) || endsSo(name);
  if (name.endsWith('/')) return files.some((file) => file.startsWith(name)) || endsSo(name);
  return SOURCE.test(name) || name.includes('*') ? isThere(name) || endsSo(name) : true;
}

function isThere(path: string): boolean {
  return files.some((file) => file === path || file.startsWith(`${path}/`) || matchesGlob(file, path));
}

/** A page about a part of the project may leave out where that part is. */
function endsSo(path: string): boolean {
  return files.some((file) => file.endsWith(`/${path}`) || file.includes(`/${path.replace(/\/?$/, '/')}`));
}
