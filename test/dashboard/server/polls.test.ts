import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { dashboardTarget } from '../../../dashboard/server/dashboard-target.ts';
import { startEmbeddedAws } from '../../../local/embedded-aws.ts';
import { createJobTarget, type JobTarget } from '../../../shared/jobs/job-target.ts';
import { jobSettingsFrom } from '../../../shared/settings.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { enqueueImages } from '../../support/enqueue-images.ts';
import { type OpenPage, startTestDashboard, type TestDashboard } from '../../support/test-dashboard.ts';

let aws: TestAws;
let target: JobTarget;
let dashboard: TestDashboard;
let calls: Map<string, number>;

beforeAll(async () => {
  aws = await startTestAws();
  target = createJobTarget(jobSettingsFrom(aws.environment), { ...aws.clientConfig, maxAttempts: 1 });
  const counted =
    (next: (args: never) => Promise<never>, { commandName = '' }: { commandName?: string }) =>
    (args: never) => {
      calls.set(commandName, (calls.get(commandName) ?? 0) + 1);
      return next(args);
    };
  target.sqs.middlewareStack.add(counted as never, { step: 'initialize' });
  target.s3.middlewareStack.add(counted as never, { step: 'initialize' });
});
beforeEach(async () => {
  aws.clear();
  calls = new Map();
  dashboard = await startTestDashboard(target);
});
afterEach(async () => {
  await dashboard[Symbol.asyncDispose]();
});
afterAll(async () => {
  target.sqs.destroy();
  target.s3.destroy();
  await aws.stop();
});

const looks = () => (calls.get('GetQueueAttributesCommand') ?? 0) / 2;
const requests = () => [...calls.values()].reduce((sum, count) => sum + count, 0);

/** What a look costs, over so many looks. */
async function costPerLook(count: number): Promise<number> {
  calls.clear();
  await eventually('looks', () => looks() >= count);
  return requests() / looks();
}

async function runningJob(): Promise<void> {
  const images = Array.from({ length: 20 }, (_, index) => ({ id: `${index}`, url: `https://host.example/${index}` }));
  await enqueueImages(aws.target, images, { job: 'cats', perMessage: 1 });
}

test('no request is made while no page is open, neither before the first nor after the last', async () => {
  await delay(200);
  expect(requests()).toBe(0);
  const page = await dashboard.open();
  await page.next('snapshot');
  await page[Symbol.asyncDispose]();
  // The look that is under way comes to its end.
  await eventually('no more requests', async () => {
    const before = requests();
    await delay(300);
    return requests() === before;
  });
});

test('ten open pages cost what one costs', async () => {
  await runningJob();
  const pages: OpenPage[] = [await dashboard.open()];
  await pages[0]?.next('snapshot', ({ jobs }) => jobs.length === 1);
  const one = await costPerLook(20);
  for (let count = 1; count < 10; count++) pages.push(await dashboard.open());
  const snapshots = await Promise.all(pages.map((page) => page.next('snapshot', ({ jobs }) => jobs.length === 1)));
  expect(snapshots).toHaveLength(10);
  const ten = await costPerLook(20);
  // The listing of names falls into one of the two stretches, or into both.
  expect(Math.abs(ten - one)).toBeLessThan(0.5);
  for (const page of pages) await page[Symbol.asyncDispose]();
});

test('an idle queue costs two requests per poll', async () => {
  await using page = await dashboard.open();
  await page.next('snapshot', ({ connections }) => connections.s3.state === 'connected');
  expect(await costPerLook(50)).toBeLessThan(3);
});

test('a page that is opened later gets a snapshot at once', async () => {
  await using first = await dashboard.open();
  const { at } = await first.next('snapshot');
  await using second = await dashboard.open();
  expect((await second.next('snapshot')).at).toBeGreaterThanOrEqual(at);
  expect(second.text()).toMatch(/^retry: \d+\n\nevent: snapshot\nid: \d+\ndata: /);
});

test('while SQS and S3 do not answer, the page shows since when and keeps its figures, and recovers afterwards', async () => {
  await using folder = await createTemporaryFolder();
  let own = await startEmbeddedAws({ port: 0, dataDir: folder.path });
  const { port } = own.server;
  const ownTarget = dashboardTarget(jobSettingsFrom(own.environment), own.clientConfig);
  await using page = await startTestDashboard(ownTarget).then(async (started) => {
    const opened = await started.open();
    return {
      ...opened,
      async [Symbol.asyncDispose]() {
        await opened[Symbol.asyncDispose]();
        await started[Symbol.asyncDispose]();
      },
    };
  });
  const before = Date.now();
  await page.next('snapshot', ({ connections: { sqs, s3 } }) => sqs.state === 'connected' && s3.state === 'connected');
  await own.stop();
  const away = await page.next(
    'snapshot',
    ({ connections: { sqs, s3 } }) => sqs.state === 'away' && s3.state === 'away',
  );
  expect(away.connections.sqs).toMatchObject({ reason: expect.stringContaining('ECONNREFUSED') });
  if (away.connections.sqs.state !== 'away') throw new Error('expected SQS to be away');
  expect(away.connections.sqs.sinceAt).toBeGreaterThanOrEqual(before);
  expect(away.connections.sqs.lastAnswerAt).toBeGreaterThanOrEqual(before);
  expect(away.queue.waitingMessages).toBe(0);
  expect(away.problems.map(({ kind }) => kind)).toEqual(['sqs-away', 's3-away']);
  const { sinceAt } = away.connections.sqs;
  const later = await page.next('snapshot', ({ at }) => at > away.at);
  expect(later.connections.sqs).toMatchObject({ state: 'away', sinceAt });
  own = await startEmbeddedAws({ port, dataDir: folder.path });
  const back = await page.next(
    'snapshot',
    ({ connections: { sqs, s3 } }) => sqs.state === 'connected' && s3.state === 'connected',
  );
  expect(back.problems).toEqual([]);
  ownTarget.sqs.destroy();
  ownTarget.s3.destroy();
  await own.stop();
});

test('CloudWatch without an answer delays neither the figures nor the charts', async () => {
  const silent = new Promise<never>(() => undefined);
  await using other = await startTestDashboard(target, { insight: { facts: () => silent, history: () => silent } });
  await using page = await other.open();
  const { at } = await page.next('snapshot', ({ connections }) => connections.s3.state === 'connected');
  await page.next('history');
  await page.next('snapshot', (later) => later.at > at);
}, 20_000);

test('a server that stops ends the streams of its pages', async () => {
  const other = await startTestDashboard(target);
  const page = await other.open();
  await page.next('snapshot');
  await other[Symbol.asyncDispose]();
  await expect(page.next('history', () => false)).rejects.toThrow(/ended|terminated|aborted/);
});
