import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startBrowser } from '../../../testkit/browser.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { awayQueue, emptyQueue, hostileTexts, LONG_JOB, manyJobs } from './extreme-figures.ts';
import { busyQueue } from './fixture-figures.ts';
import { startFixtureServer } from './fixture-server.ts';
import { accessibilityProblems, allShown, openPage } from './open-page.ts';

const [browser, server] = await sharedByTests(startBrowser(), startFixtureServer(busyQueue()));

const STATES = [
  ['many jobs', manyJobs, 'dark'],
  ['long and strange texts', hostileTexts, 'light'],
  ['an empty queue', emptyQueue, 'dark'],
  ['SQS away', awayQueue, 'light'],
] as const;
const VIEWS = [
  ['overview', '/#/'],
  ['jobs', '/#/jobs'],
  ['a job', `/#/jobs/${LONG_JOB}`],
  ['dead letters', '/#/dead-letters'],
  ['health', '/#/health?entry=dead-letters'],
] as const;
/** A phone, the narrowest and the widest window with cards in place of the table of jobs, and two desktops. */
const WIDTHS = [390, 862, 1_119, 1_122, 1_280];

/** Tables that something cuts off, unless it can be scrolled. */
const CUT_TABLES = `[...document.querySelectorAll('main table, main dl')].flatMap((table) => {
  for (let box = table.parentElement; box !== null; box = box.parentElement) {
    if (box.matches('.scrollable, .visually-hidden')) return [];
    const isCut = table.getBoundingClientRect().right > box.getBoundingClientRect().right + 1;
    if (isCut) return [table.className + ' in ' + box.className];
  }
  return [];
})`;

/** Words of the page itself (not those of others) that are on two lines. */
const BROKEN_WORDS = `[...document.querySelectorAll('main thead th, main dt, main time, main .state')].flatMap((element) => {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (texts.nextNode()) {
    for (const { 0: word, index } of texts.currentNode.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) broken.push(word);
    }
  }
  return broken;
})`;

/** Texts that are cut off at their beginning, as one that is written from right to left may be. */
const WITHOUT_BEGINNING = `[...document.querySelectorAll('body *')].flatMap((box) => {
  if (getComputedStyle(box).textOverflow !== 'ellipsis' || box.scrollWidth <= box.clientWidth) return [];
  const texts = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  if (!texts.nextNode()) return [];
  const range = document.createRange();
  range.setStart(texts.currentNode, 0);
  range.setEnd(texts.currentNode, 1);
  const [first, shown] = [range.getBoundingClientRect(), box.getBoundingClientRect()];
  return first.left >= shown.left - 1 && first.right <= shown.right + 1 ? [] : [box.className + ' of ' + box.parentElement.className];
})`;

async function faultsAt(page: Page, width: number): Promise<string[]> {
  const scrollWidth = await page.evaluate<number>('document.documentElement.scrollWidth');
  const cut = await page.evaluate<string[]>(CUT_TABLES);
  const broken = await page.evaluate<string[]>(BROKEN_WORDS);
  const withoutBeginning = await page.evaluate<string[]>(WITHOUT_BEGINNING);
  return [
    ...(scrollWidth > width ? [`at ${width}: the page is ${scrollWidth} wide`] : []),
    ...cut.map((table) => `at ${width}: ${table} is cut off`),
    ...withoutBeginning.map((text) => `at ${width}: the beginning of ${text} is cut off`),
    ...broken.map((word) => `at ${width}: ${word} is broken`),
  ];
}

async function layoutFaults(page: Page): Promise<string[]> {
  const faults: string[] = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    faults.push(...(await faultsAt(page, width)));
  }
  return faults;
}

describe.each(STATES)('with %s', (_state, shown, colorScheme) => {
  test.each(VIEWS)(
    'the view of %s has nothing that is cut off or broken, and nothing that axe finds',
    async (_name, path) => {
      Object.assign(server.shown, shown());
      const { page, problems } = await openPage(browser, `${server.origin}${path}`, { colorScheme });
      await allShown(page);
      expect(await layoutFaults(page)).toEqual([]);
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(problems).toEqual([]);
      await page.context().close();
    },
  );
});

test('of 40 failure codes, the most frequent are shown, and the others on request', async () => {
  Object.assign(server.shown, hostileTexts());
  const { page } = await openPage(browser, `${server.origin}/#/jobs/${LONG_JOB}`);
  await page.getByText('28 codes more').waitFor();
  expect(await page.locator('.bars.bad tbody tr:visible').count()).toBe(12);
  await page.getByText('28 codes more').click();
  expect(await page.locator('.bars.bad tbody tr:visible').count()).toBe(40);
  server.push();
  expect(await page.locator('.bars.bad tbody tr:visible').count()).toBe(40);
  await page.context().close();
});
