import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from '@jest/globals';

const PROJECT = join(import.meta.dirname, '../..');
/** Target and anchor of a link or picture to a file of the project; code blocks are left out before. */
const LINK = /\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)/g;

const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: PROJECT, encoding: 'utf8' }).trim().split('\n');

test.each(pages)('%s links to files and headings that exist', (page) => {
  expect(
    linksOf(join(PROJECT, page))
      .filter((link) => !exists(link))
      .map(shown),
  ).toEqual([]);
});

type Link = { file: string; anchor: string | undefined };

function linksOf(page: string): Link[] {
  const text = readFileSync(page, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(LINK)].map(([, target = '', anchor]) => ({
    file: target === '' ? page : join(dirname(page), decodeURI(target)),
    anchor,
  }));
}

function exists({ file, anchor }: Link): boolean {
  if (!existsSync(file)) return false;
  if (anchor === undefined || statSync(file).isDirectory() || !file.endsWith('.md')) return true;
  return anchorsOf(file).includes(anchor);
}

/** As GitHub makes them: https://docs.github.com/get-started/writing-on-github, "Section links". */
function anchorsOf(page: string): string[] {
  const headings = readFileSync(page, 'utf8').matchAll(/^#{1,6} (.+)$/gm);
  return Array.from(headings, ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/\]\([^)]*\)/g, '')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

function shown({ file, anchor }: Link): string {
  return `${relative(PROJECT, file)}${anchor === undefined ? '' : `#${anchor}`}`;
}
