import { CopyObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { statusText } from '../../cli/jobs/status.ts';
import { runField } from '../../shared/contract/job-run.ts';
import { formatMessage, type ImageRef } from '../../shared/contract/message.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import { type JobStatus, jobStatus, type StatusOptions } from '../../shared/jobs/job-status.ts';
import { cancelJob, newestRun, readJob, writeJob } from '../../shared/jobs/job-store.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { catsButMissing, type Verdict, workQueueEmpty } from '../support/stub-worker.ts';

const JOB = 'cats';

const [aws] = await sharedByTests(startTestAws());
/** Part files that were read since the test began. */
let partsRead = 0;

beforeAll(() => {
  aws.target.s3.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const { Key = '' } = args.input as { Key?: string };
        if (commandName === 'GetObjectCommand' && /\/part-/.test(Key)) partsRead++;
        return next(args);
      },
    { step: 'initialize' },
  );
});
beforeEach(() => {
  aws.clear();
  partsRead = 0;
});

function imagesNamed(...ids: string[]): ImageRef[] {
  return ids.map((id) => ({ id, url: `https://host.example/${id}.jpg` }));
}

function numbered(count: number, name = 'image'): ImageRef[] {
  return imagesNamed(...Array.from({ length: count }, (_, index) => `${name}-${index}`));
}

async function enqueued(images: ImageRef[], perMessage: number): Promise<void> {
  const plan = newJob({ job: JOB, source: '-', sourceDigest: '', perMessage, images: images.length });
  await enqueue(aws.target, each(images), plan);
}

async function* each<Item>(items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** As SQS does now and then, and a producer that sends again what it has no answer for. */
async function deliverAgain(images: ImageRef[]): Promise<void> {
  const { run } = await newestRun(aws.target, JOB);
  await aws.send(formatMessage({ job: JOB, ...runField(run), attempt: 1, images }));
}

/** Takes so many messages off the queue for a while. */
async function holdBack(messages: number): Promise<void> {
  for (let held = 0; held < messages; held++) {
    const command = new ReceiveMessageCommand({ QueueUrl: aws.target.queueUrl, VisibilityTimeout: 600 });
    await aws.target.sqs.send(command);
  }
}

async function status(options?: StatusOptions): Promise<Pick<JobStatus, 'state' | 'classified' | 'failed' | 'toGo'>> {
  const found = await jobStatus(aws.target, JOB, new Date(), options);
  if (found === undefined) throw new Error('expected the job to be known');
  const { state, classified, failed, toGo = 0 } = found;
  return { state, classified, failed, toGo };
}

/** What readers that look at every line count. */
async function truth() {
  const { results, failures } = await readOutcomes(aws.target, JOB);
  return { classified: results.size, failed: failures.size };
}

/** Each message in an invocation of its own, so that none shares its file with another. */
async function workOneByOne(verdict: Verdict, messages: number): Promise<void> {
  for (let done = 0; done < messages; done++) await workQueueEmpty(aws, verdict, 1);
}

describe('a job with repeated images', () => {
  test('runs as long as images are missing, however many lines there are', async () => {
    const images = numbered(40);
    await enqueued(images, 10);
    await holdBack(1);
    await workOneByOne(catsButMissing, 3);
    // Not the ids of one file together, but of two: the sums of lines say 40 of 40.
    await deliverAgain([...images.slice(10, 15), ...images.slice(20, 25)]);
    await workOneByOne(catsButMissing, 1);
    expect(await status()).toEqual({ state: 'running', classified: 30, failed: 0, toGo: 10 });
    expect(await truth()).toEqual({ classified: 30, failed: 0 });
  });

  test('is complete when its last image is, and counts each once', async () => {
    const images = [...numbered(38), ...numbered(2, 'missing')];
    await enqueued(images, 10);
    await deliverAgain([...images.slice(0, 5), ...images.slice(33)]);
    await workOneByOne(catsButMissing, 5);
    expect(await status()).toEqual({ state: 'completed with failures', classified: 38, failed: 2, toGo: 0 });
    expect(await truth()).toEqual({ classified: 38, failed: 2 });
  });

  test('has no failures when each image has a later result, as file names show', async () => {
    const images = numbered(40);
    await enqueued(images, 40);
    await deliverAgain(images.slice(0, 3));
    await workOneByOne(() => catsButMissing({ id: 'missing', url: '' }), 2);
    expect(await status()).toEqual({ state: 'completed with failures', classified: 0, failed: 40, toGo: 0 });
    await deliverAgain(images.slice(20));
    await deliverAgain(images.slice(0, 20));
    await workOneByOne(catsButMissing, 2);
    expect(await status()).toEqual({ state: 'completed', classified: 40, failed: 0, toGo: 0 });
    expect(partsRead).toBe(0);
  });

  test('needs no reading when all lines of a file are also in others', async () => {
    const images = numbered(64);
    await enqueued(images, 32);
    await deliverAgain([...images.slice(0, 8), ...images.slice(40, 48)]);
    await workOneByOne(catsButMissing, 3);
    expect(await status()).toEqual({ state: 'completed', classified: 64, failed: 0, toGo: 0 });
    expect(partsRead).toBe(0);
  });

  test('does not count a failure of images that have a result', async () => {
    const images = numbered(64);
    await enqueued(images, 32);
    await workOneByOne(() => catsButMissing({ id: 'missing', url: '' }), 1);
    await holdBack(1);
    await deliverAgain(images.slice(0, 32));
    await workOneByOne(catsButMissing, 1);
    expect(await status()).toEqual({ state: 'running', classified: 32, failed: 0, toGo: 32 });
  });
});

describe('the cost of a status', () => {
  test('is a listing for a job without repeated images, running or complete', async () => {
    await enqueued([...numbered(95), ...numbered(5, 'missing')], 10);
    await workOneByOne(catsButMissing, 5);
    await status();
    await workOneByOne(catsButMissing, 5);
    expect(await status()).toEqual({ state: 'completed with failures', classified: 95, failed: 5, toGo: 0 });
    expect(partsRead).toBe(0);
  });

  test('is only the reading of new files when it is repeated', async () => {
    const images = numbered(60);
    await enqueued(images, 20);
    await holdBack(1);
    await workOneByOne(catsButMissing, 2);
    await deliverAgain([...images.slice(20, 32), ...images.slice(40, 52)]);
    await deliverAgain([...images.slice(21, 33), ...images.slice(41, 53)]);
    await workOneByOne(catsButMissing, 2);
    const counter = new OutcomeCounter(aws.target);
    const running = { state: 'running', classified: 40, failed: 0, toGo: 20 };
    expect(await status({ counter })).toEqual(running);
    const readBefore = partsRead;
    expect(await status({ counter })).toEqual(running);
    expect(partsRead).toBe(readBefore);
    await deliverAgain([...images.slice(22, 34), ...images.slice(42, 54)]);
    await workOneByOne(catsButMissing, 1);
    await status({ counter });
    expect(partsRead - readBefore).toBe(1);
  });

  test('is limited: without time to read, a job that may be complete counts as running', async () => {
    const images = numbered(64);
    await enqueued(images, 32);
    await deliverAgain([...images.slice(0, 8), ...images.slice(40, 48)]);
    await deliverAgain([...images.slice(1, 9), ...images.slice(41, 49)]);
    await workOneByOne(catsButMissing, 4);
    expect((await status({ signal: AbortSignal.abort() })).state).toBe('running');
    expect(await status()).toEqual({ state: 'completed', classified: 64, failed: 0, toGo: 0 });
  });
});

describe('the speed of a job', () => {
  const MINUTE = 60_000;

  async function speedAfter(milliseconds: number) {
    const found = await jobStatus(aws.target, JOB, new Date(Date.now() + milliseconds));
    if (found === undefined) throw new Error('expected the job to be known');
    const { imagesPerSecond, secondsLeft } = found;
    return { imagesPerSecond, secondsLeft, text: statusText(found) };
  }

  test('is shown as long as a worker may be busy, and not when nothing has moved for longer', async () => {
    await enqueued(numbered(40), 10);
    await workOneByOne(catsButMissing, 2);
    const moving = { imagesPerSecond: expect.any(Number), secondsLeft: expect.any(Number) };
    expect(await speedAfter(0)).toMatchObject({ ...moving, text: expect.stringMatching(/speed .* left\n/) });
    expect(await speedAfter(1.5 * MINUTE)).toMatchObject(moving);
    const stopped = { imagesPerSecond: 0, secondsLeft: undefined };
    expect(await speedAfter(2.5 * MINUTE)).toEqual({ ...stopped, text: expect.not.stringMatching(/speed|left/) });
  });

  test('is not shown for a job that has not begun, was cancelled or is complete', async () => {
    const none = { imagesPerSecond: 0, secondsLeft: undefined, text: expect.not.stringMatching(/speed|left/) };
    await enqueued(numbered(40), 10);
    expect(await speedAfter(0)).toEqual(none);
    await workOneByOne(catsButMissing, 2);
    await cancelJob(aws.target, await newestRun(aws.target, JOB), 'a test');
    expect(await speedAfter(0)).toEqual(none);
    aws.clear();
    await enqueued(numbered(20), 10);
    await workOneByOne(catsButMissing, 2);
    expect(await speedAfter(0)).toEqual(none);
  });
});

describe('files without sums of ids', () => {
  /** As workers and producers of earlier releases wrote them. */
  async function forgetSums(): Promise<void> {
    const { s3, resultsBucket: Bucket } = aws.target;
    for (const Key of await aws.partKeys('results', JOB)) {
      const old = Key.replace(/-[0-9a-f]{32}(?=-n)/, '');
      await s3.send(new CopyObjectCommand({ Bucket, CopySource: `${Bucket}/${Key}`, Key: old }));
      await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    }
    const { idSum: _, ...description } = (await readJob(aws.target, JOB)) ?? {};
    await writeJob(aws.target, description as Parameters<typeof writeJob>[1]);
  }

  test('are read', async () => {
    const images = numbered(40);
    await enqueued(images, 10);
    await holdBack(1);
    await workOneByOne(catsButMissing, 3);
    await deliverAgain([...images.slice(10, 15), ...images.slice(20, 25)]);
    await workOneByOne(catsButMissing, 1);
    await forgetSums();
    expect(await status()).toEqual({ state: 'running', classified: 30, failed: 0, toGo: 10 });
    await deliverAgain(images.slice(0, 10));
    await deliverAgain(images.slice(30));
    await workOneByOne(catsButMissing, 2);
    expect(await status()).toEqual({ state: 'completed', classified: 40, failed: 0, toGo: 0 });
  });
});
