import { beforeEach, describe, expect, test } from '@jest/globals';
import type { BrowserContextOptions } from 'playwright-core';
import { startBrowser } from '../../../testkit/browser.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { busyQueue, HOSTILE, jobDetail, jobRow, snapshot } from './fixture-figures.ts';
import { startFixtureServer } from './fixture-server.ts';
import { accessibilityProblems, allShown, openPage } from './open-page.ts';

const [browser, server] = await sharedByTests(startBrowser(), startFixtureServer(busyQueue()));

beforeEach(() => {
  Object.assign(server.shown, busyQueue());
});

function open(path: string, options?: BrowserContextOptions) {
  return openPage(browser, `${server.origin}${path}`, options);
}

const VIEWS = [
  ['overview', '/#/'],
  ['jobs', '/#/jobs'],
  ['a job', '/#/jobs/catalogue-2026-11'],
  ['a job that there is not', '/#/jobs/none'],
  ['dead letters', '/#/dead-letters'],
  ['health', '/#/health?entry=dead-letters'],
] as const;

describe.each(VIEWS)('the view of %s', (_name, path) => {
  test.each(['light', 'dark'] as const)('has nothing that axe finds, in %s', async (colorScheme) => {
    const { page, problems } = await open(path, { colorScheme });
    await allShown(page);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('scrolls in one direction on a phone', async () => {
    const { page } = await open(path, { viewport: { width: 390, height: 844 } });
    await page.locator('h1').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.context().close();
  });
});

test.each(VIEWS)('untrusted text stays text in the view of %s', async (_name, path) => {
  const { page, problems } = await open(path.includes('?') ? path : `${path}?q=`);
  server.shown.snapshot.problems = [
    {
      kind: 'alarm',
      severity: 'critical',
      title: HOSTILE,
      detail: HOSTILE,
      sinceAt: null,
      runbookEntry: null,
      job: null,
    },
  ];
  server.push();
  await page.locator('.problems').waitFor();
  expect(await page.locator('main img[src="x"], main script, main [onerror]').count()).toBe(0);
  expect(await page.locator('main').textContent()).toContain('<img src=x onerror=');
  expect(await page.locator('main').textContent()).not.toContain('\u202E');
  expect(problems).toEqual([]);
  await page.context().close();
});

/** `--solid-bad` of theme.css. */
const SOLID_RED = 'rgb(184, 32, 60)';

describe('the environment', () => {
  test.each([
    ['local', 'this machine'],
    ['dev', 'labelqueue-dev'],
    ['prod', 'labelqueue-prod'],
  ] as const)('%s has its badge, and only prod is red', async (kind, name) => {
    server.shown.snapshot = snapshot({ environment: { kind, name, region: 'eu-central-1', endpoint: null } });
    const { page } = await open('/#/');
    const badge = page.locator('.environment b');
    expect(await badge.textContent()).toBe(kind);
    const colour = await page.evaluate('getComputedStyle(document.querySelector(".environment b")).backgroundColor');
    expect(colour === SOLID_RED).toBe(kind === 'prod');
    await page.context().close();
  });
});

describe('keys', () => {
  test('switch between views, move through rows and open one', async () => {
    const { page } = await open('/#/');
    await page.keyboard.press('g');
    await page.keyboard.press('j');
    await page.locator('h1', { hasText: 'Jobs' }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const row = page.locator('[data-row]').nth(1);
    const job = (await row.textContent()) ?? '';
    expect(await page.evaluate('document.activeElement.textContent')).toBe(job);
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: job }).waitFor();
    expect(new URL(page.url()).hash).toBe(`#/jobs/${encodeURIComponent(job)}`);
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await page.locator('h1', { hasText: 'Dead letters' }).waitFor();
    await page.context().close();
  });

  test('filter with /, and are typed as text in the filter', async () => {
    const { page } = await open('/#/jobs');
    await page.keyboard.press('/');
    await page.keyboard.type('gjk?');
    expect(await page.locator('input[type=search]').inputValue()).toBe('gjk?');
    expect(new URL(page.url()).hash).toBe('#/jobs?q=gjk%3F');
    expect(await page.locator('dialog').count()).toBe(0);
    await page.getByText('No job matches the filter.').waitFor();
    await page.context().close();
  });

  test('are listed with ?, and Escape closes the list', async () => {
    const { page } = await open('/#/');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('change the time range of the charts', async () => {
    const { page } = await open('/#/');
    await page.keyboard.press(']');
    await page.locator('button[aria-pressed=true]', { hasText: '6 h' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#/?range=6h');
    await page.context().close();
  });
});

describe('the address', () => {
  test('contains the state of the view, and Back returns to it', async () => {
    const { page } = await open('/#/jobs?state=cancelled&sort=job');
    expect(await page.locator('tbody th a').allTextContents()).toEqual(['old-catalogue']);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.locator('h1', { hasText: 'Overview' }).waitFor();
    await page.goBack();
    await page.locator('h1', { hasText: 'Jobs' }).waitFor();
    expect(await page.locator('tbody th a').allTextContents()).toEqual(['old-catalogue']);
    await page.context().close();
  });

  test('sorts jobs by a column, and in reverse at the second click', async () => {
    const { page } = await open('/#/jobs');
    const failed = () => page.locator('tbody .failures b').allTextContents();
    await page.getByRole('button', { name: 'Failed images' }).click();
    expect((await failed()).slice(0, 2)).toEqual(['590', '212']);
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    await page.getByRole('button', { name: 'Failed images' }).click();
    expect((await failed()).slice(0, 2)).toEqual(['3', '30']);
    await page.context().close();
  });
});

describe('a server that is read-only', () => {
  test.each(['/#/jobs/catalogue-2026-11', '/#/dead-letters'])(
    'has no buttons that change anything at %s, and says why',
    async (path) => {
      server.shown.session = { ...server.shown.session, allowsChanges: false };
      const { page } = await open(path);
      await page.locator('.panel').first().waitFor();
      expect(await page.getByRole('button', { name: /Retry failed|Cancel|Redrive|Delete/ }).count()).toBe(0);
      expect(await page.locator('footer').textContent()).toContain('--allow-changes');
      await page.context().close();
    },
  );
});

describe('no problem, no data', () => {
  test('shows no warning, and the command for the first job', async () => {
    server.shown.snapshot = snapshot({ jobs: [], problems: [] });
    const { page } = await open('/#/');
    expect(await page.locator('.notice').count()).toBe(0);
    expect(await page.locator('.command').first().textContent()).toMatch(/^bin\/labelqueue enqueue /);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.context().close();
  });
});

test('new figures do not shift the layout', async () => {
  const { page } = await open('/#/');
  await page.locator('canvas').first().waitFor();
  const places = () =>
    page.evaluate(
      'JSON.stringify([...document.querySelectorAll(".panel, .strip > div")].map((one) => one.getBoundingClientRect()))',
    );
  const before = await places();
  const { queue } = server.shown.snapshot;
  server.shown.snapshot = snapshot({
    queue: {
      ...queue,
      waitingMessages: 9,
      remainingImages: 1_234_567,
      timeToDrainSeconds: 98_765,
      costSoFarUsd: 12_345,
    },
  });
  server.push();
  await page.locator('.strip', { hasText: '1,234,567' }).waitFor();
  expect(await places()).toBe(before);
  await page.context().close();
});

test('with the next figures, charts get the width of their panels, whatever they had', async () => {
  const { page, problems } = await open('/#/');
  await allShown(page);
  await page.evaluate('for (const chart of Object.values(Chart.instances)) chart.resize(80, 100)');
  const missing = () =>
    page.evaluate<number[]>(
      '[...document.querySelectorAll(".chart canvas")].map((canvas) => Math.abs(canvas.clientWidth - canvas.parentElement.clientWidth))',
    );
  expect(Math.min(...(await missing()))).toBeGreaterThan(100);
  const { queue } = server.shown.snapshot;
  server.shown.snapshot = snapshot({ queue: { ...queue, completedImagesPerSecond: 7 } });
  server.push();
  await eventually('charts as wide as their panels', async () => Math.max(...(await missing())) <= 1);
  expect(problems).toEqual([]);
  await page.context().close();
});

test('a job of unknown size has its counts, and no progress bar', async () => {
  const row = jobRow('default', {
    state: 'unknown',
    enqueuedImages: null,
    sourceImages: null,
    remainingImages: null,
    secondsLeft: null,
  });
  server.shown.snapshot = snapshot({ jobs: [row] });
  server.shown.details.set('default', jobDetail(row));
  const { page } = await open('/#/jobs/default');
  await page.getByText('6,392 images so far').waitFor();
  expect(await page.getByRole('progressbar').count()).toBe(0);
  await page.context().close();
});

test('animates nothing when reduced motion is preferred', async () => {
  const { page } = await open('/#/', { reducedMotion: 'reduce' });
  expect(await page.evaluate('document.getAnimations().length')).toBe(0);
  await page.context().close();
});

test('all dead letters are retried from the overview, after a typed confirmation', async () => {
  const { page } = await open('/#/');
  await page.getByRole('link', { name: 'Retry all…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Redrive the filtered dead letters?' });
  await dialog.waitFor();
  expect(await dialog.locator('.expected').textContent()).toBe('340');
  expect(await dialog.locator('.environment').textContent()).toContain('this machine');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(new URL(page.url()).hash).toBe('#/dead-letters');
  await page.context().close();
});

test('an entry of the runbook is shown with its commands, and its links to other entries', async () => {
  const { page } = await open('/#/health?entry=oldest-message');
  const entry = page.locator('.panel.entry');
  await entry.locator('pre', { hasText: 'labelqueue --stack $STACK status JOB' }).waitFor();
  expect(await entry.textContent()).not.toContain('**');
  await entry.getByRole('link', { name: 'no progress' }).click();
  await page.locator('.panel.entry h2', { hasText: 'No progress' }).waitFor();
  await page.context().close();
});

test('stops requests when the page was hidden for a minute, and continues when it is visible again', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(`${server.origin}/#/`);
  await page.locator('.link.live').waitFor();
  // The streams of the tests before end a moment after their pages.
  await eventually('the stream of this page alone', () => server.openStreams() === 1);
  // From here on only `runFor` moves the page's clock.
  await page.clock.pauseAt(Date.now() + 5_000);
  const show = (isHidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
      document.dispatchEvent(new Event('visibilitychange'))`);
  await show(true);
  // Less than the silence after which a page connects again: its clock runs ahead of the server's events.
  await page.clock.runFor(10_000);
  expect(server.openStreams()).toBe(1);
  await page.clock.runFor(51_000);
  await eventually('no stream', () => server.openStreams() === 0);
  await page.clock.runFor(60_000);
  expect(server.openStreams()).toBe(0);
  await show(false);
  await eventually('the stream again', () => server.openStreams() === 1);
  await context.close();
});
