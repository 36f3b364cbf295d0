import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { count, counted, dollars } from '../../../dashboard/page/numbers.js';
import { partPrefix } from '../../../shared/contract/object-keys.ts';
import type { JobStatus } from '../../../shared/jobs/job-status.ts';
import { createJobTarget, type JobTarget } from '../../../shared/jobs/job-target.ts';
import { jobSettingsFrom } from '../../../shared/settings.ts';
import { startBrowser } from '../../../testkit/browser.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { runCommand } from '../../support/command.ts';
import { writeFailures, writeResults } from '../../support/ended-run.ts';
import { type StoredJob, storeJobs } from '../../support/stored-jobs.ts';
import { startTestDashboard, type TestDashboard } from '../../support/test-dashboard.ts';
import { accessibilityProblems, allShown, figure, openPage } from './open-page.ts';

const MINUTE_MS = 60_000;
/** Long enough for a page to draw 500 rows in between. */
const PAUSE_MS = 300;
/** Of hundreds of jobs, by one process that is the embedded AWS, too, on a machine with other work. */
const FIRST_LOOK_MS = 60_000;
const REMAINING = ['first', 'second', 'third', 'fourth'];
/** 100,000 images with an outcome, in 10,000 part files, and some without. */
const LARGE: StoredJob = {
  ...{ job: 'large', run: '00000000000000aa', results: 9_800, imagesPerPart: 10, remaining: REMAINING },
  failures: { not_found: 120, timeout: 50, not_an_image: 30 },
  startedAt: new Date(Date.now() - 4 * MINUTE_MS),
};
/** As many as a page shows, with the large one. */
const JOBS = 500;
/** All have ended but one, of which some images have no outcome yet. */
const RUNNING = 7;
const LATE = ['late-1', 'late-2'];
const OTHERS = Array.from({ length: JOBS - 1 }, (_, index) => small(index));
const SOME = 30;

let aws: TestAws;
let target: JobTarget;
let browser: Browser;
let dashboard: TestDashboard;
/** What the dashboard has asked S3 to list: the prefix of each request. */
const listed: string[] = [];

beforeAll(async () => {
  [aws, browser] = await Promise.all([startTestAws(), startBrowser()]);
  storeJobs(aws, [LARGE, ...OTHERS.slice(0, SOME)]);
  await aws.send(JSON.stringify({ v: 1, job: 'large', run: LARGE.run, attempt: 1, images: [{ id: 'a', url: 'x' }] }));
  target = createJobTarget(jobSettingsFrom(aws.environment), { ...aws.clientConfig, maxAttempts: 1 });
  target.s3.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'ListObjectsV2Command') listed.push((args.input as { Prefix?: string }).Prefix ?? '');
        return next(args);
      },
    { step: 'initialize' },
  );
  dashboard = await startTestDashboard(target, { pauseMs: PAUSE_MS });
}, 120_000);
afterAll(async () => {
  await dashboard[Symbol.asyncDispose]();
  target.s3.destroy();
  target.sqs.destroy();
  await browser.close();
  await aws.stop();
});

/** With failures if its number is a multiple of ten. */
function small(index: number): StoredJob {
  const job = `batch-${String(index).padStart(3, '0')}`;
  const run = index.toString(16).padStart(16, '0');
  const failures = index % 10 === 0 ? { forbidden: 1 + (index % 3) } : {};
  const startedAt = new Date(Date.now() - (index + 10) * MINUTE_MS);
  const remaining = index === RUNNING ? LATE : [];
  return { job, run, results: 1 + (index % 4), failures, imagesPerPart: 3, remaining, startedAt };
}

function open(path: string) {
  return openPage(browser, new URL(path, dashboard.address).href);
}

async function status<Answer>(...args: string[]): Promise<Answer> {
  const { stdout } = await runCommand(['status', ...args, '--json'], { environment: aws.environment });
  return JSON.parse(stdout);
}

function listingsOf(kind: 'results' | 'failures'): number {
  return listed.filter((prefix) => prefix.startsWith(partPrefix(kind, LARGE.job))).length;
}

/** What the page shows of a job in the strip at its top. */
async function figuresOf(page: Page): Promise<string[]> {
  return Promise.all(['Classified', 'Failed', 'Remaining', 'Cost so far'].map((name) => figure(page, name)));
}

async function figuresOfStatus(): Promise<string[]> {
  const { classified, failed, remaining, costSoFarUsd } = await status<JobStatus>(LARGE.job);
  return [...[classified, failed, remaining].map((images = 0) => counted(images, 'image')), dollars(costSoFarUsd)];
}

async function shows(page: Page, failed: string): Promise<void> {
  await page.locator('.strip > div').first().waitFor({ timeout: FIRST_LOOK_MS });
  await eventually(`${failed} failed`, async () => (await figure(page, 'Failed')) === failed, FIRST_LOOK_MS);
}

describe('a job of 100,000 images in 10,000 part files', () => {
  test('has the figures of `status --json` after one listing, before those of the other jobs', async () => {
    const { page, problems } = await open('/#/jobs/large');
    await shows(page, '2,000 images');
    expect(await figuresOf(page)).toEqual(await figuresOfStatus());
    const { failedByCode } = await status<JobStatus>(LARGE.job);
    expect(failedByCode).toEqual({ not_found: 1_200, timeout: 500, not_an_image: 300 });
    const codes = await page.locator('.bars.bad td.number').allTextContents();
    expect(codes).toEqual(['1,200 · 60.0 %', '500 · 25.0 %', '300 · 15.0 %']);
    // The names of jobs, and of cancelled ones; then this job.
    const places = ['batch-', 'large'].map((name) => listed.findIndex((prefix) => prefix.includes(`=${name}`)));
    expect(places[1]).toBeLessThan(places[0] ?? 0);
    await allShown(page);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test(
    'is then listed in parts, and what workers write meanwhile arrives on the page',
    async () => {
      const { page } = await open('/#/jobs/large');
      await shows(page, '2,000 images');
      const before = { results: listingsOf('results'), failures: listingsOf('failures') };
      await eventually('six polls', () => listingsOf('failures') - before.failures >= 6, FIRST_LOOK_MS);
      const polls = listingsOf('failures') - before.failures;
      // Four of sixteen sections per poll; a poll may be under way at either end.
      expect(listingsOf('results') - before.results).toBeLessThanOrEqual(4 * (polls + 1));
      await writeResults(aws.target, { job: LARGE.job, run: LARGE.run }, REMAINING.slice(0, 3));
      await writeFailures(aws.target, { job: LARGE.job, run: LARGE.run }, REMAINING.slice(3), 'timeout');
      await shows(page, '2,001 images');
      await eventually('the results', async () => (await figure(page, 'Classified')) === '98,003 images');
      expect(await figuresOf(page)).toEqual(await figuresOfStatus());
      await page.getByText('completed, some failed').waitFor();
      await page.context().close();
    },
    2 * FIRST_LOOK_MS,
  );
});

/** What a row of the table prints of its job: images with an outcome of all, failures, and cost. */
async function rowsOf(page: Page): Promise<Map<string, string[]>> {
  const rows = await page.evaluate<[string, string[]][]>(`[...document.querySelectorAll('tbody tr')].map((row) => [
    row.querySelector('th a').textContent,
    [row.querySelector('[role=progressbar]').getAttribute('aria-valuetext'), row.querySelector('.cost').textContent],
  ])`);
  return new Map(rows);
}

function rowOfStatus({ classified, failed, enqueued = 0, costSoFarUsd }: JobStatus): string[] {
  const outcomes = `${count(classified + failed)} of ${count(enqueued)} images, ${count(failed)} of them failed`;
  return [outcomes, dollars(costSoFarUsd)];
}

describe('500 jobs', () => {
  let page: Page;
  let problems: string[];
  const names = () => page.locator('tbody th a').allTextContents();
  const tally = () => page.locator('.view-head [role=status]').textContent();

  beforeAll(async () => {
    storeJobs(aws, OTHERS.slice(SOME));
    ({ page, problems } = await open('/#/jobs'));
    await eventually('all rows', async () => (await tally()) === `${JOBS} jobs`, FIRST_LOOK_MS);
  }, 2 * FIRST_LOOK_MS);
  afterAll(() => page.context().close());

  test('are all in the table, with the figures of `status --json`', async () => {
    const jobs = await status<JobStatus[]>();
    expect(jobs).toHaveLength(JOBS);
    const expected = jobs.map((job) => [job.job, rowOfStatus(job)] as const);
    // Of the large job, the command estimates if it has no time for all listings; its own page was compared above.
    const isSmall = ([job]: readonly [string, string[]]) => job !== LARGE.job;
    expect([...(await rowsOf(page))].filter(isSmall).sort()).toEqual(expected.filter(isSmall).sort());
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test('take a few elements each', async () => {
    const elements = await page.evaluate<number>('document.querySelectorAll("tbody *").length');
    expect(elements / JOBS).toBeLessThan(30);
  });

  test('are filtered by what is typed, and by state', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('batch-12');
    expect((await names()).sort()).toEqual(Array.from({ length: 10 }, (_, index) => `batch-12${index}`));
    expect(await page.evaluate('document.activeElement.type')).toBe('search');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^With failures/ }).click();
    expect(await names()).toEqual(['batch-120']);
    await page.goto(new URL('/#/jobs', dashboard.address).href);
    await eventually('all rows', async () => (await names()).length === JOBS);
  });

  test('are sorted by any column', async () => {
    await page.getByRole('button', { name: 'Job', exact: true }).click();
    expect(await names()).toEqual([...OTHERS.map(({ job }) => job), 'large']);
    await page.getByRole('button', { name: 'Failed images' }).click();
    expect((await names())[0]).toBe('large');
  });

  test('are walked through by key to the last one, which comes into sight', async () => {
    const isLast = `document.activeElement === [...document.querySelectorAll('tbody th a')].at(-1)`;
    await page.evaluate('document.activeElement.blur()');
    await page.keyboard.press('k');
    expect(await page.evaluate(isLast)).toBe(true);
    await eventually('the last row in sight', () =>
      page.evaluate<boolean>(
        `(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.activeElement.getBoundingClientRect())`,
      ),
    );
    await page.keyboard.press('k');
    await page.keyboard.press('j');
    expect(await page.evaluate(isLast)).toBe(true);
  });

  test('of which one changes, change one row of the page, without another request', async () => {
    await page.evaluate(`
      globalThis.changed = new Set();
      globalThis.requested = performance.getEntriesByType('resource').length;
      new MutationObserver((records) => {
        for (const { target } of records) {
          const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
          if (element.closest('time') === null) changed.add(element.closest('tr')?.querySelector('a').textContent);
        }
      }).observe(document.querySelector('tbody'), { subtree: true, childList: true, characterData: true, attributes: true });`);
    const [job = '', run = ''] = [OTHERS[RUNNING]?.job, OTHERS[RUNNING]?.run];
    await writeFailures(aws.target, { job, run }, LATE);
    await page.locator('tr', { hasText: job }).locator('.failures b', { hasText: '2' }).waitFor();
    expect(await page.evaluate('[...changed]')).toEqual([job]);
    expect(await page.evaluate('performance.getEntriesByType("resource").length - requested')).toBe(0);
    expect(problems).toEqual([]);
  });
});
