import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ChangeMessageVisibilityCommand, type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, test } from '@jest/globals';
import { type Swept, sweep } from '../../../functions/sweep/sweep.ts';
import {
  MAX_RECEIVE_COUNT,
  STRANDED_AFTER_MS,
  STRANDED_BESIDE_OTHERS_AFTER_MS,
} from '../../../shared/contract/limits.ts';
import { formatMessage, type ImageRef } from '../../../shared/contract/message.ts';
import { jobKey, redrivePrefix } from '../../../shared/contract/object-keys.ts';
import type { NamedRun } from '../../../shared/jobs/end-look.ts';
import { jobStatus } from '../../../shared/jobs/job-status.ts';
import { cancelJob } from '../../../shared/jobs/job-store.ts';
import { createJobTarget } from '../../../shared/jobs/job-target.ts';
import { redrive } from '../../../shared/jobs/redrive.ts';
import { jobSettingsFrom } from '../../../shared/settings.ts';
import { startHarness } from '../../support/acknowledgement-harness.ts';
import { anyRun, createAnnouncer, describeRun, idsOf, writeFailures, writeResults } from '../../support/ended-run.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { strandedLongAgo } from '../../support/stranded-run.ts';

const SWEPT_LATER_MS = STRANDED_AFTER_MS + 60_000;
const SWEPT_MUCH_LATER_MS = STRANDED_BESIDE_OTHERS_AFTER_MS + 60_000;
const JOB_ENDS = 'labelqueue-job-ends.fifo';
const NOTHING = { images: 0, runs: 0 };
const NEVER = new AbortController().signal;

const [harness] = await sharedByTests(startHarness());
afterEach(() => harness.reset());

/** A sweep that comes so much later. */
function swept(laterMs = SWEPT_LATER_MS, signal: AbortSignal = NEVER): Promise<Swept> {
  return sweep(harness.aws.target, new Date(Date.now() + laterMs), signal);
}

/** The same with clients for which the faults of the harness are there. */
async function sweepThroughFaults(): Promise<Swept> {
  const { clientConfig, environment } = harness.faults;
  const target = createJobTarget(jobSettingsFrom(environment), { ...clientConfig, maxAttempts: 1 });
  try {
    return await sweep(target, new Date(Date.now() + SWEPT_LATER_MS), NEVER);
  } finally {
    target.sqs.destroy();
    target.s3.destroy();
  }
}

function bodyOf(of: { job: string; run?: string }, images: ImageRef[]): string {
  return formatMessage({ ...of, attempt: 1, images });
}

/** Describes a run and sends its images in one message, which SQS moves to the DLQ. */
async function strandedRun(ids: readonly string[], of: NamedRun = anyRun()): Promise<NamedRun> {
  await describeRun(harness.aws.target, of, ids);
  await moved(bodyOf(of, ids.map(harness.good)));
  return of;
}

async function moved(...bodies: string[]): Promise<void> {
  await harness.aws.send(...bodies);
  await harness.receiveWithoutWorker(MAX_RECEIVE_COUNT);
  expect(await harness.receive()).toEqual([]);
}

/** Hides the letters of the DLQ from others. */
async function receivedLetters(): Promise<Message[]> {
  const { sqs, deadLetterQueueUrl } = harness.aws.target;
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetterQueueUrl }));
  return Messages;
}

async function putBack(letters: readonly Message[]): Promise<void> {
  const { sqs, deadLetterQueueUrl } = harness.aws.target;
  for (const { ReceiptHandle } of letters) {
    const command = { QueueUrl: deadLetterQueueUrl, ReceiptHandle, VisibilityTimeout: 0 };
    await sqs.send(new ChangeMessageVisibilityCommand(command));
  }
}

const redriveAll = (of: NamedRun) =>
  redrive(harness.aws.target, { ...of, codes: undefined, perMessage: 100, dryRun: false }, new Date());

async function stateOf({ job }: NamedRun) {
  const { state, classified, failed } = (await jobStatus(harness.aws.target, job, new Date())) ?? {};
  return { state, classified, failed };
}

test('a job whose messages SQS moved ends by itself, and redrive sends its images again', async () => {
  const of = await strandedRun(idsOf(3));
  const announcer = createAnnouncer(harness.aws.target);
  await announcer.look(of);
  expect(announcer.found).toEqual([]);
  expect(await stateOf(of)).toEqual({ state: 'running', classified: 0, failed: 0 });

  expect(await swept()).toEqual({ letters: 1, notLookedAt: 0, images: 3, runs: 1 });
  expect(await stateOf(of)).toEqual({ state: 'completed with failures', classified: 0, failed: 3 });
  expect((await harness.seen(of.job)).failed).toEqual(Object.fromEntries(idsOf(3).map((id) => [id, 'worker_crashed'])));
  // A request for a look lies in the queue of looks; `worker_crashed` is announced two minutes after it was written.
  expect(harness.aws.server.inspectQueue('labelqueue-job-ends.fifo')?.messages.delayed).toHaveLength(1);
  const later = createAnnouncer(harness.aws.target, { now: () => new Date(Date.now() + 130_000) });
  await later.look(of);
  expect(later.found).toMatchObject([{ state: 'completed with failures', failed: 3, generation: 0 }]);

  expect(await redriveAll(of)).toMatchObject({ images: 3, deadLetters: 1 });
  await harness.deliverAll();
  expect(await stateOf(of)).toEqual({ state: 'completed', classified: 3, failed: 0 });
  await later.look(of);
  expect(later.found).toMatchObject([{ generation: 0 }, { state: 'completed', classified: 3, generation: 1 }]);
});

test('letters stay on the DLQ, visible and unchanged', async () => {
  await strandedRun(idsOf(2));
  const before = harness.aws.deadLetters().map(({ body }) => body);
  await swept();
  expect(before).toHaveLength(1);
  expect((await receivedLetters()).map(({ Body }) => Body)).toEqual(before);
});

test('a second sweep, later or at the same time, writes nothing else', async () => {
  const of = await strandedRun(idsOf(2));
  const [one, other] = await Promise.all([swept(), swept()]);
  expect(one.images + other.images).toBeGreaterThanOrEqual(2);
  const keys = await harness.aws.partKeys('failures', of.job);
  expect(keys).toHaveLength(1);
  expect(await swept()).toMatchObject(NOTHING);
  expect(await harness.aws.partKeys('failures', of.job)).toEqual(keys);
});

test('images that have an outcome keep it', async () => {
  const of = anyRun();
  const ids = ['done', 'missing', 'lost'];
  await strandedRun(ids, of);
  await writeResults(harness.aws.target, of, ['done']);
  await writeFailures(harness.aws.target, of, ['missing']);
  await swept();
  expect(await harness.seen(of.job)).toEqual({
    classified: ['done'],
    failed: { missing: 'not_found', lost: 'worker_crashed' },
  });
});

test('a run with recent progress is left alone: a message may still be in flight', async () => {
  const of = await strandedRun(['lost', 'done']);
  expect(await swept(0)).toMatchObject({ letters: 1, ...NOTHING });
  await writeResults(harness.aws.target, of, ['done']);
  expect(await swept(STRANDED_AFTER_MS - 60_000)).toMatchObject(NOTHING);
  expect(await swept()).toMatchObject({ images: 2, runs: 1 });
});

test('while the queue has other messages, a run must be idle for longer', async () => {
  await strandedRun(['lost']);
  await harness.aws.send(bodyOf({ job: 'other' }, [harness.good('waiting')]));
  expect(await swept()).toMatchObject(NOTHING);
  expect(await swept(SWEPT_MUCH_LATER_MS)).toMatchObject({ images: 1 });
});

test('a run that is redriven meanwhile is left alone, although its letter was not read and stays', async () => {
  const of = await strandedLongAgo(harness.aws, ['a', 'b'], (id) => harness.good(id).url);
  expect(await swept(0)).toMatchObject({ images: 2 });
  // The letter is hidden from the redrive, as by a sweep at the same time.
  const letters = await receivedLetters();
  expect(await redriveAll(of)).toMatchObject({ images: 2, deadLetters: 0, notLookedAt: 1 });
  await putBack(letters);
  // The images are on the queue, without a line, and nothing else of the run is younger than their letter.
  expect(await harness.seen(of.job)).toEqual({ classified: [], failed: {} });
  expect(await swept(0)).toMatchObject({ letters: 1, ...NOTHING });
  await harness.deliverAll();
  expect(await stateOf(of)).toEqual({ state: 'completed', classified: 2, failed: 0 });
  expect(await swept(SWEPT_MUCH_LATER_MS)).toMatchObject(NOTHING);
});

test('a run whose failures a redrive has removed is left to it', async () => {
  const of = await strandedRun(['a']);
  const { s3, resultsBucket: Bucket } = harness.aws.target;
  await s3.send(new PutObjectCommand({ Bucket, Key: `${redrivePrefix(of)}1.jsonl`, Body: '\n' }));
  expect(await swept(SWEPT_MUCH_LATER_MS)).toMatchObject(NOTHING);
});

test('runs that were cancelled, purged or replaced get no failures', async () => {
  const cancelled = await strandedRun(['a'], { ...anyRun(), job: 'cancelled' });
  await cancelJob(harness.aws.target, cancelled, 'labelqueue cancel');
  await strandedRun(['a'], { ...anyRun(), job: 'replaced' });
  await describeRun(harness.aws.target, { ...anyRun(), job: 'replaced' }, ['b']);
  await moved(bodyOf({ ...anyRun(), job: 'purged' }, [harness.good('a')]));
  expect(await swept(SWEPT_MUCH_LATER_MS)).toMatchObject({ letters: 3, ...NOTHING });
});

test('a damaged description delays no other job', async () => {
  await strandedRun(['a'], { ...anyRun(), job: 'damaged' });
  await strandedRun(['b'], { ...anyRun(), job: 'whole' });
  const { s3, resultsBucket: Bucket } = harness.aws.target;
  await s3.send(new PutObjectCommand({ Bucket, Key: jobKey('damaged'), Body: '{' }));
  expect(await swept()).toMatchObject({ letters: 2, images: 1, runs: 1 });
  expect((await harness.seen('whole')).failed).toEqual({ b: 'worker_crashed' });
});

test('a letter that always fails delays neither other runs nor the checks of their ends', async () => {
  await strandedRun(['a'], { ...anyRun(), job: 'bad' });
  await strandedRun(['b'], { ...anyRun(), job: 'good' });
  harness.faults.inject({ put: 'failures/job=bad/' }, 500);
  await expect(sweepThroughFaults()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  expect((await harness.seen('good')).failed).toEqual({ b: 'worker_crashed' });
  expect(harness.aws.server.inspectQueue(JOB_ENDS)?.messages.delayed).toHaveLength(1);
});

test('a sweep fails when the check of an end could not be requested: the next sweep would not request it', async () => {
  const of = await strandedRun(['a']);
  harness.faults.inject({ action: 'SendMessage', queue: JOB_ENDS }, 500);
  await expect(sweepThroughFaults()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  expect((await harness.seen(of.job)).failed).toEqual({ a: 'worker_crashed' });
});

test('a sweep whose time is up before outcomes were counted treats no run as stranded', async () => {
  const of = await strandedRun(['a', 'b', 'c']);
  // Their names do not prove that nothing is missing: the files have to be read.
  for (const ids of [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
  ])
    await writeResults(harness.aws.target, of, ids);
  const time = new AbortController();
  const { s3 } = harness.aws.target;
  // Of all requests, only the count reads part files.
  s3.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName === 'GetObjectCommand' && JSON.stringify(args.input).includes('/part-')) time.abort();
      return next(args);
    },
    { name: 'time is up', step: 'initialize' },
  );
  expect(await swept(SWEPT_LATER_MS, time.signal)).toMatchObject(NOTHING);
  s3.middlewareStack.remove('time is up');
  expect(time.signal.aborted).toBe(true);
  expect((await harness.seen(of.job)).failed).toEqual({});
});

test('images of other producers get their failures too, once', async () => {
  await moved(bodyOf({ job: 'theirs' }, [harness.good('a'), harness.good('b')]));
  expect(await swept()).toMatchObject({ images: 2, runs: 0 });
  expect((await harness.seen('theirs')).failed).toEqual({ a: 'worker_crashed', b: 'worker_crashed' });
  expect(await swept()).toMatchObject(NOTHING);
});

test('letters of workers, and malformed ones, get no lines', async () => {
  const of = anyRun();
  await describeRun(harness.aws.target, of, ['missing', 'lost']);
  await harness.aws.send(bodyOf(of, [harness.missing()]), 'no JSON');
  await harness.deliverAll();
  expect(harness.aws.deadLetters()).toHaveLength(2);
  const keys = await harness.aws.partKeys('failures', of.job);
  expect(await swept(SWEPT_MUCH_LATER_MS)).toMatchObject({ letters: 2, ...NOTHING });
  expect(await harness.aws.partKeys('failures', of.job)).toEqual(keys);
});

test('a sweep whose time is up writes nothing more, and leaves the letters visible', async () => {
  const of = await strandedRun(['a']);
  expect(await swept(SWEPT_LATER_MS, AbortSignal.abort())).toMatchObject(NOTHING);
  expect(await redriveAll(of)).toMatchObject({ images: 1, deadLetters: 1 });
});

test('an empty DLQ costs two requests', async () => {
  await harness.aws.send(bodyOf({ job: 'other' }, [harness.good('waiting')]));
  const calls: string[] = [];
  const { target } = harness.aws;
  const count = { name: 'count', step: 'finalizeRequest' } as const;
  target.sqs.middlewareStack.add(
    (next, context) => (args) => {
      calls.push(String(context.commandName));
      return next(args);
    },
    count,
  );
  expect(await swept()).toEqual({ letters: 0, notLookedAt: 0, ...NOTHING });
  target.sqs.middlewareStack.remove('count');
  expect(calls).toEqual(['GetQueueAttributesCommand', 'GetQueueAttributesCommand']);
});
