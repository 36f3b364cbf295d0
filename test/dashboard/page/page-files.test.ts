import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const PAGE = join(import.meta.dirname, '../../../dashboard/page');

async function namesIn(ending: string): Promise<string[]> {
  return (await readdir(PAGE)).filter((name) => name.endsWith(ending)).sort();
}

/** Addresses below `/assets/` in the page's HTML. */
async function named(attribute: 'href' | 'src', ending: string): Promise<string[]> {
  const html = await readFile(join(PAGE, 'index.html'), 'utf8');
  return Array.from(
    html.matchAll(new RegExp(`${attribute}="/assets/([^"]+\\${ending})"`, 'g')),
    ([, name = '']) => name,
  )
    .filter((name) => !name.startsWith('vendor/'))
    .sort();
}

test('the page requests all of its modules at once, not one after the other', async () => {
  expect([...(await named('href', '.js')), 'main.js'].sort()).toEqual(await namesIn('.js'));
});

test('the page has each of its styles', async () => {
  expect(await named('href', '.css')).toEqual(await namesIn('.css'));
});
