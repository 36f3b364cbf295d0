import { beforeEach, expect, test } from '@jest/globals';
import { MovedMessages } from '../../cli/jobs/moved-messages.ts';
import { statusText } from '../../cli/jobs/status.ts';
import { MAX_RECEIVE_COUNT } from '../../shared/contract/limits.ts';
import { jobStatus } from '../../shared/jobs/job-status.ts';
import { commandTests } from '../support/command-tests.ts';
import { receive, redeliver } from '../support/deliveries.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';

const { aws, folder, labelqueue } = await commandTests();
beforeEach(() => aws.clear());

async function enqueueJob(job: string, images: number): Promise<void> {
  const lines = Array.from({ length: images }, (_, index) => `https://host/${job}/${index}.jpg`);
  const file = await folder.write(`${job}.txt`, lines.join('\n'));
  expect(await labelqueue('enqueue', file, '--job', job, '--per-message', '2')).toMatchObject({ code: 0 });
}

/** As when no worker starts: SQS moves what is in the queue to the DLQ. */
async function moveAll(): Promise<void> {
  for (let delivery = 0; delivery < MAX_RECEIVE_COUNT; delivery++) await redeliver(aws, await receive(aws));
  expect(await receive(aws)).toEqual([]);
}

/** @param later than now, in seconds */
async function statusOf(job: string, later = 0) {
  const status = await jobStatus(aws.target, job, new Date(Date.now() + later * 1_000));
  if (status === undefined) throw new Error(`expected a status of ${job}`);
  return status;
}

test('status counts images of messages that SQS moved, wait ends, and redrive sends them again', async () => {
  await enqueueJob('cats', 6);
  await workQueueEmpty(aws, catsButMissing, 1);
  expect(await statusOf('cats', 62)).not.toHaveProperty('stranded');
  await moveAll();
  // SQS's counts may be wrong for a minute.
  expect(await statusOf('cats')).not.toHaveProperty('stranded');
  const status = await statusOf('cats', 62);
  expect(status).toMatchObject({ state: 'running', classified: 2, toGo: 4, stranded: 4 });
  expect(statusText(status)).toContain(
    '\nstranded    4 images without an outcome, and no message is left: SQS moved them to the DLQ; labelqueue wait cats counts them as failed, labelqueue redrive cats sends them again\n',
  );

  const waited = await labelqueue('wait', 'cats', '--json');
  expect(waited.code).toBe(3);
  expect(JSON.parse(waited.stdout)).toMatchObject({
    state: 'completed with failures',
    classified: 2,
    failedByCode: { worker_crashed: 4 },
  });
  expect(waited.stderr).toContain('4 images of messages that SQS moved to the DLQ count as failed (worker_crashed)');

  expect((await labelqueue('redrive', 'cats')).stdout).toBe('job cats: 4 images sent again, 2 dead letters removed\n');
  await workQueueEmpty(aws, catsButMissing);
  expect((await labelqueue('wait', 'cats')).code).toBe(0);
});

test('a check of the end is requested for a run whose last images SQS moved', async () => {
  await enqueueJob('cats', 2);
  await moveAll();
  const looks = () => aws.server.inspectQueue('labelqueue-job-ends.fifo')?.messages;
  expect(await labelqueue('wait', 'cats')).toMatchObject({ code: 3 });
  const { ready = [], delayed = [] } = looks() ?? {};
  expect([...ready, ...delayed].map(({ body }) => JSON.parse(body))).toEqual(
    expect.arrayContaining([expect.objectContaining({ job: 'cats' })]),
  );
});

test('redrive sends them again even without wait, by the code that wait would give them', async () => {
  await enqueueJob('cats', 4);
  await moveAll();
  expect((await labelqueue('redrive', 'cats', '--code', 'worker_crashed')).stdout).toBe(
    'job cats: 4 images sent again, 2 dead letters removed\n',
  );
});

test('letters of other jobs and of earlier runs are left alone', async () => {
  await enqueueJob('cats', 2);
  await moveAll();
  expect(await labelqueue('cancel', 'cats')).toMatchObject({ code: 0 });
  expect(await labelqueue('purge', 'cats', '--yes')).toMatchObject({ code: 0 });
  await enqueueJob('dogs', 2);
  await moveAll();
  await enqueueJob('cats', 2);
  const before = await aws.partKeys('failures', 'dogs');
  const moved = new MovedMessages(aws.target);
  const status = await statusOf('cats');
  const idle = { waiting: 0, inFlight: 0, retrying: 0 };
  expect(await moved.settle({ ...status, queue: { ...status.queue, ...idle } })).toBe(false);
  expect(await aws.partKeys('failures', 'dogs')).toEqual(before);
  expect(await aws.partKeys('failures', 'cats')).toEqual([]);
});

test('while other jobs are busy, the DLQ is read once the job has not moved for two minutes', async () => {
  await enqueueJob('cats', 2);
  await moveAll();
  await enqueueJob('dogs', 2);
  const status = await statusOf('cats');
  expect(status.queue).toMatchObject({ waiting: 1, deadLetters: 1 });
  const moved = new MovedMessages(aws.target);
  const start = Date.now();
  expect(await moved.settle(status, start)).toBe(false);
  expect(await moved.settle(status, start + 119_000)).toBe(false);
  expect(await moved.settle(status, start + 120_000)).toBe(true);
  expect(await statusOf('cats')).toMatchObject({ state: 'completed with failures', failed: 2 });
});
