/** The dashboard, seen by a real browser: how long a page waits for its first figures. */
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../../testkit/browser.ts';
import type { LargeJob } from '../../../testkit/large-job.ts';
import { startLargeJobs } from '../../../testkit/large-jobs.ts';
import { largeJob } from '../large-job-command.ts';
import type { ClientRow, Conditions, PreparedCommand } from '../row.ts';

const ADDRESS = /the dashboard is at (\S+)/;
/** A figure is there once it is not a dash. */
const FIGURES = '.strip dd:not(:has-text("–"))';
const MAX_WAIT_MS = 300_000;
/** Nine images. */
const SMALL = { results: 3, failures: 0, linesPerPart: 3, isDescribed: true };

export const rows: ClientRow[] = [
  { name: 'dashboard, no page open', unit: 'jobs', sizes: [500], prepare: (of) => prepared(of, smallJobs(of.size)) },
  {
    name: 'dashboard, first figures of the page of a job',
    unit: 'parts',
    sizes: [10_000, 100_000],
    prepare: (of) => prepared(of, [largeJob(of.size, { remaining: 1_000 })], '#/jobs/large', FIGURES),
  },
  {
    name: 'dashboard, first picture',
    unit: 'jobs',
    sizes: [500],
    prepare: (of) => prepared(of, smallJobs(of.size), '#/jobs', 'h1'),
  },
  {
    name: 'dashboard, all rows of the table of jobs',
    unit: 'jobs',
    sizes: [500],
    prepare: (of) => prepared(of, smallJobs(of.size), '#/jobs', `.view-head:has-text("${of.size} jobs")`),
  },
];

function smallJobs(jobs: number): LargeJob[] {
  return Array.from({ length: jobs }, (_, index) => ({
    ...SMALL,
    job: `batch-${index}`,
    run: index.toString(16).padStart(16, '0'),
    remaining: index % 10 === 0 ? 1 : 0,
  }));
}

/**
 * @param path of the page that is opened; none by default
 * @param sign what is on the page when the time is up
 */
async function prepared(
  { latencyMs }: Conditions,
  jobs: LargeJob[],
  path?: string,
  sign = 'h1',
): Promise<PreparedCommand> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startLargeJobs({ jobs, latencyMs }));
  const browser = starting.adopt(await startBrowser(), (started) => started.close());
  // The browser's own start does not count.
  await (await browser.newPage()).goto('about:blank');
  const running = starting.move();
  return {
    args: ['dashboard', '--port', '0'],
    environment: server.environment,
    until: ADDRESS,
    times: 5,
    ...(path !== undefined && { visit: (output) => visit(browser, `${ADDRESS.exec(output)?.[1]}${path}`, sign) }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function visit(browser: Browser, address: string, sign: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 900 } });
  await page.goto(address);
  await page.locator(sign).first().waitFor({ timeout: MAX_WAIT_MS });
  await page.context().close();
}
