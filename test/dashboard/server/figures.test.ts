import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import type { Changed } from '../../../dashboard/contract/changes.ts';
import type { Snapshot } from '../../../dashboard/contract/events.ts';
import type { Gallery, JobDetail, JobRow } from '../../../dashboard/contract/jobs.ts';
import type { History } from '../../../dashboard/contract/queue.ts';
import type { ImageRef } from '../../../shared/contract/message.ts';
import type { JobStatus } from '../../../shared/jobs/job-status.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { runCommand } from '../../support/command.ts';
import { dashboardTests } from '../../support/dashboard-tests.ts';
import { anyRun, describeRun, idsOf } from '../../support/ended-run.ts';
import { enqueueImages } from '../../support/enqueue-images.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { catsButMissing, workQueueEmpty } from '../../support/stub-worker.ts';
import { answerOf } from '../../support/test-dashboard.ts';

const [aws] = await sharedByTests(startTestAws());
const dashboard = dashboardTests(aws, { allowsChanges: true });

/** So many images, of which so many are not there. */
function images(count: number, missing: number): ImageRef[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${index < missing ? 'missing' : 'image'}-${index}`;
    return { id, url: `https://user:secret@host-${index % 3}.example/${id}.jpg?X-Amz-Signature=secret#secret` };
  });
}

function enqueued(job: string, all: ImageRef[], perMessage = 10): Promise<void> {
  return enqueueImages(aws.target, all, { job, perMessage, source: 'cats.csv' });
}

const rowOf = ({ jobs }: Snapshot, job: string): JobRow | undefined => jobs.find((row) => row.job === job);

test('the figures of a job are those of `status --json`: waiting, halfway, and completed with failures', async () => {
  await enqueued('cats', images(60, 7));
  await using page = await dashboard.open();
  for (const { messages, state } of [
    { messages: 0, state: 'running' },
    { messages: 3, state: 'running' },
    { messages: 3, state: 'completed with failures' },
  ]) {
    if (messages > 0) await workQueueEmpty(aws, catsButMissing, messages);
    const { code, stdout, stderr } = await runCommand(['status', 'cats', '--json'], { environment: aws.environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const status: JobStatus = JSON.parse(stdout);
    expect(status.state).toBe(state);
    const { queue, jobs } = await page.next('snapshot', (snapshot) => {
      const row = rowOf(snapshot, 'cats');
      // A look asks SQS first: of one that was made meanwhile, queue and jobs are not of the same time.
      const { waitingMessages, inFlightMessages, deadMessages } = snapshot.queue;
      const { waiting, inFlight, deadLetters } = status.queue;
      const isOfNow = waitingMessages === waiting && inFlightMessages === inFlight && deadMessages === deadLetters;
      return isOfNow && row?.classifiedImages === status.classified && row.failedImages === status.failed;
    });
    expect(queue).toMatchObject({
      waitingMessages: status.queue.waiting,
      inFlightMessages: status.queue.inFlight,
      delayedMessages: status.queue.retrying,
      deadMessages: status.queue.deadLetters,
      remainingImages: status.remaining,
      costSoFarUsd: status.costSoFarUsd,
    });
    expect(jobs).toEqual([
      expect.objectContaining({
        job: 'cats',
        run: status.run,
        state: status.state,
        enqueuedImages: status.enqueued,
        classifiedImages: status.classified,
        failedImages: status.failed,
        failedImagesByCode: Object.entries(status.failedByCode).map(([code, images]) => ({ code, images })),
        remainingImages: status.remaining,
        countsAreEstimates: status.countsAreEstimates,
        costSoFarUsd: status.costSoFarUsd,
        source: 'cats.csv',
      }),
    ]);
  }
});

test('a job whose failures are sent again from its page runs once more, and is completed', async () => {
  await enqueued('cats', images(30, 5));
  await workQueueEmpty(aws, catsButMissing);
  await using page = await dashboard.open('range=1h&job=cats');
  await page.next('snapshot', (snapshot) => rowOf(snapshot, 'cats')?.state === 'completed with failures');
  const response = await dashboard.post('/api/jobs/cats/redrive', { confirm: 'cats' });
  expect(await answerOf(response)).toEqual({
    status: 200,
    images: 5,
    messages: 5,
    text: '5 images sent again, 5 dead letters removed.',
  });
  await page.next('snapshot', (snapshot) => rowOf(snapshot, 'cats')?.state === 'running');
  await workQueueEmpty(aws, () => catsButMissing({ id: 'found', url: '' }));
  const { queue } = await page.next('snapshot', (snapshot) => rowOf(snapshot, 'cats')?.state === 'completed');
  expect(queue).toMatchObject({ deadMessages: 0, remainingImages: 0, timeToDrainSeconds: 0 });
});

test('a change must be confirmed with the name of the job: another name is refused', async () => {
  await enqueued('cats', images(10, 0));
  for (const change of ['cancel', 'redrive']) {
    const response = await dashboard.post(`/api/jobs/cats/${change}`, { confirm: 'cat' });
    expect(await answerOf(response)).toEqual({
      status: 409,
      error: { code: 'not-confirmed', message: expect.stringContaining('"cats"'), expected: 'cats' },
    });
  }
  expect(aws.queued()).toHaveLength(1);
});

test('a job that is cancelled from its page is cancelled everywhere, and cannot be cancelled twice', async () => {
  await enqueued('cats', images(20, 0));
  await using page = await dashboard.open();
  await page.next('snapshot', (snapshot) => rowOf(snapshot, 'cats')?.state === 'running');
  const first = await dashboard.post('/api/jobs/cats/cancel', { confirm: 'cats' });
  expect(((await first.json()) as Changed).text).toBe('Cancelled with 20 images remaining.');
  const { queue } = await page.next('snapshot', (snapshot) => rowOf(snapshot, 'cats')?.state === 'cancelled');
  expect(queue.remainingImages).toBe(0);
  const { stdout } = await runCommand(['status', 'cats', '--json'], { environment: aws.environment });
  expect(JSON.parse(stdout).state).toBe('cancelled');
  const second = await dashboard.post('/api/jobs/cats/cancel', { confirm: 'cats' });
  expect(await answerOf(second)).toMatchObject({
    status: 409,
    error: { code: 'not-possible' },
  });
});

test('cancelling a job from its page requests a check of its end', async () => {
  const of = anyRun();
  await describeRun(aws.target, of, idsOf(2));
  expect((await dashboard.post('/api/jobs/cats/cancel', { confirm: 'cats' })).status).toBe(200);
  const looks = aws.server.inspectQueue('labelqueue-job-ends.fifo')?.messages.delayed ?? [];
  expect(looks.map(({ body }) => JSON.parse(body))).toEqual([{ v: 1, ...of }]);
});

test('a job that is purged elsewhere disappears from the table', async () => {
  await enqueued('cats', images(10, 0));
  await workQueueEmpty(aws, catsButMissing);
  await using page = await dashboard.open();
  await page.next('snapshot', (snapshot) => rowOf(snapshot, 'cats') !== undefined);
  aws.clear();
  await page.next('snapshot', ({ jobs }) => jobs.length === 0);
});

test('the page of a job has its labels, its slowest hosts and its pictures, and no secret of a URL', async () => {
  await enqueued('cats', images(30, 6));
  await workQueueEmpty(aws, catsButMissing);
  await using page = await dashboard.open('range=15m&job=cats');
  const { content, ...detail } = await page.next('job', ({ content }) => content !== null);
  expect(detail).toMatchObject({ classifiedImages: 24, failedImages: 6, imagesPerMessage: 10, source: 'cats.csv' });
  expect(detail.links.map(({ href }) => href)).toContain('/api/jobs/cats/results.csv');
  expect(content).toMatchObject({
    readImages: 30,
    isSample: false,
    labels: [{ label: 'Egyptian cat', images: 24, meanScore: 0.9 }],
    models: [{ name: 'stub', version: '1', images: 24 }],
  });
  expect(
    content?.hosts.map(({ host, classifiedImages, failedImages }) => ({ host, classifiedImages, failedImages })),
  ).toEqual(expect.arrayContaining([{ host: 'host-0.example', classifiedImages: 8, failedImages: 2 }]));
  const gallery = await dashboard.json<Gallery>('/api/jobs/cats/gallery?label=Egyptian%20cat&limit=5');
  // All pictures of the stub have the same bytes: copies are shown once.
  expect(gallery.images).toEqual([
    expect.objectContaining({ url: expect.stringMatching(/^https:\/\/host-\d\.example\/image-\d+\.jpg$/) }),
  ]);
  expect(page.text() + JSON.stringify(gallery)).not.toContain('secret');
});

test("a job's details are the same in the stream and at its address", async () => {
  await enqueued('cats', images(30, 6));
  await workQueueEmpty(aws, catsButMissing);
  const { series, failedImagesByCode } = await dashboard.json<JobDetail>('/api/jobs/cats');
  expect(series.settledImages.at(-1)).toBe(30);
  expect(failedImagesByCode).toEqual([{ code: 'not_found', images: 6 }]);
  await using page = await dashboard.open('job=dogs&range=1h');
  expect(await page.next('job-missing')).toEqual({ job: 'dogs' });
});

test('history includes the time before the dashboard started, from the names of part files', async () => {
  await enqueued('cats', images(60, 7));
  await workQueueEmpty(aws, catsButMissing);
  await using page = await dashboard.open('range=15m');
  const history = await page.next('history', ({ classifiedImagesPerSecond }) =>
    classifiedImagesPerSecond.some((rate) => rate > 0),
  );
  const total = (images: number[]) => images.reduce((sum, count) => sum + count, 0);
  expect(history.failedImagesByCode.map(({ code, images }) => [code, total(images)])).toEqual([['not_found', 7]]);
  expect(history.remainingImages.at(-1)).toBe(0);
  expect(lengths(history)).toEqual(new Set([history.bucketAt.length]));
  expect(history.bucketAt.length).toBeLessThanOrEqual(300);
});

function lengths({ failedImagesByCode, ...history }: History): Set<number> {
  const series = [...Object.values(history).filter(Array.isArray), ...failedImagesByCode.map(({ images }) => images)];
  return new Set(series.map(({ length }) => length));
}

test('a job with a damaged description is named, and does not hide others', async () => {
  await enqueued('cats', images(10, 0));
  await enqueued('dogs', images(10, 0));
  const { s3, resultsBucket: Bucket } = aws.target;
  await s3.send(new PutObjectCommand({ Bucket, Key: 'jobs/cats/job.json', Body: 'no JSON' }));
  await using page = await dashboard.open();
  const { jobs, problems, connections } = await page.next(
    'snapshot',
    (snapshot) => rowOf(snapshot, 'dogs') !== undefined,
  );
  expect(jobs.map(({ job }) => job)).toEqual(['dogs']);
  expect(connections.s3.state).toBe('connected');
  expect(problems).toEqual([
    expect.objectContaining({
      kind: 'job-unreadable',
      job: 'cats',
      detail: expect.stringContaining('jobs/cats/job.json'),
    }),
  ]);
});

test('jobs of other producers are shown, with what is known about them', async () => {
  await aws.send('https://host.example/a.jpg', 'https://host.example/missing.jpg');
  await workQueueEmpty(aws, ({ url }) => catsButMissing({ id: url, url }));
  await using page = await dashboard.open();
  const { jobs } = await page.next('snapshot', (snapshot) => rowOf(snapshot, 'default') !== undefined);
  expect(jobs).toEqual([
    expect.objectContaining({
      job: 'default',
      state: 'unknown',
      enqueuedImages: null,
      remainingImages: null,
      classifiedImages: 1,
      failedImages: 1,
    }),
  ]);
});
