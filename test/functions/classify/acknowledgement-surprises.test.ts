/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: what no real part can be made to do. */

import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Cancellations } from '../../../functions/classify/cancellations.ts';
import { PartWriter } from '../../../functions/classify/part-writer.ts';
import { ImageFailure } from '../../../shared/contract/error-codes.ts';
import { CANCELLATION_CHECK_MS } from '../../../shared/contract/limits.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { messageRecord, sqsRecord } from '../../../testkit/sqs-record.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { createInjectedWorker, type Injected } from '../../support/injected-worker.ts';
import { startPictureServer } from '../../support/picture-server.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { destinationsOf } from '../../support/test-worker.ts';

const [aws, pictures] = await sharedByTests(startTestAws(), startPictureServer());

afterEach(() => aws.clear());

function record(id: string, attempt: number) {
  return messageRecord({ attempt, images: [{ id, url: pictures.url(`/${id}`) }] });
}

/** Things that are thrown in this world, and the words that a failure line has for them. */
const THROWN: [what: string, thrown: unknown, text: string][] = [
  ['a string', 'out of cats', 'out of cats'],
  ['nothing', undefined, 'undefined'],
  ['an object without text', Object.create(null), 'an object that has no text'],
];

describe('a non-Error is thrown', () => {
  test.each(THROWN)('by a fetch: %s', async (_what, thrown, text) => {
    await using worker = createInjectedWorker(aws, [pictures.host], {
      fetch: (url) => (url.endsWith('/odd') ? Promise.reject(thrown) : Promise.resolve(Buffer.alloc(0))),
    });
    const records = [record('odd', 4), record('odd', 5), record('empty', 1)];
    expect(await worker.process(records)).toEqual([]);
    expect(aws.queued().map(({ body }) => parseMessage(body))).toMatchObject([{ attempt: 5, images: [{ id: 'odd' }] }]);
    const failures = (await aws.failures('job')).map(({ id, error }) => [id, error.code, error.message]);
    expect(failures).toContainEqual(['odd', 'internal_error', text]);
    expect(failures).toContainEqual(['empty', 'empty', expect.any(String)]);
    expect(failures).toHaveLength(2);
  });

  test.each(THROWN)('by TensorFlow: %s', async (_what, thrown, text) => {
    await using worker = createInjectedWorker(aws, [pictures.host], {
      infer() {
        throw thrown;
      },
    });
    expect(await worker.process([record('odd', 4)])).toEqual([]);
    expect(aws.queued().map(({ body }) => parseMessage(body))).toMatchObject([{ attempt: 5, images: [{ id: 'odd' }] }]);
    expect(await worker.process([record('odd', 5)])).toEqual([]);
    expect(await aws.failures('job')).toMatchObject([
      { id: 'odd', error: { code: 'inference_failed', message: text } },
    ]);
  });

  test.each(THROWN)('by a write: %s', async (_what, thrown) => {
    const s3 = new S3Client({ ...aws.clientConfig });
    const throwing = () => () => Promise.reject(thrown);
    s3.middlewareStack.add(throwing, { step: 'initialize' });
    const destinations = { ...destinationsOf(aws.target), parts: new PartWriter(s3, aws.target.resultsBucket) };
    await using worker = createInjectedWorker(aws, [pictures.host], { destinations });
    const written = record('a', 1);
    expect(await worker.process([written, sqsRecord('cats, please')])).toEqual([written.messageId]);
    expect(aws.deadLetters()).toMatchObject([{ body: 'cats, please' }]);
    expect(await aws.results('job')).toEqual([]);
  });
});

test('too little time is left for a single image that is delivered again', async () => {
  let msLeft = 60_000;
  const isolated: string[] = [];
  const isolatedClassifier: Injected['isolatedClassifier'] = {
    async classify(url) {
      isolated.push(url);
      // As if it had taken nearly all the time there was.
      msLeft = 5_000;
      return new ImageFailure('worker_crashed', 'gave no answer');
    },
    close() {},
  };
  await using worker = createInjectedWorker(aws, [pictures.host], { msLeft: () => msLeft, isolatedClassifier });
  const again = ['slow', 'next'].map((id) => sqsRecord(record(id, 2).body, 2));
  expect(await worker.process([...again, record('fresh', 1)])).toEqual([]);
  expect(isolated).toEqual([pictures.url('/slow')]);
  expect(aws.queued().map(({ body }) => parseMessage(body))).toMatchObject([{ attempt: 2, images: [{ id: 'next' }] }]);
  expect((await aws.results('job')).map(({ id }) => id)).toEqual(['fresh']);
  expect((await aws.failures('job')).map(({ id }) => id)).toEqual(['slow']);
});

test('a job is cancelled while its redelivered images are processed one at a time', async () => {
  const clock = { now: 0 };
  let cancelled = false;
  const cancellations = new Cancellations(
    async () => cancelled,
    () => clock.now,
  );
  const isolated: string[] = [];
  const isolatedClassifier: Injected['isolatedClassifier'] = {
    async classify(url) {
      isolated.push(url);
      cancelled = true;
      clock.now += CANCELLATION_CHECK_MS;
      await cancellations.refresh([{ job: 'job' }]);
      return new ImageFailure('worker_crashed', 'gave no answer');
    },
    close() {},
  };
  await using worker = createInjectedWorker(aws, [pictures.host], { cancellations, isolatedClassifier });
  expect(await worker.process(['first', 'next'].map((id) => sqsRecord(record(id, 2).body, 2)))).toEqual([]);
  expect(isolated).toEqual([pictures.url('/first')]);
  expect(aws.queued()).toEqual([]);
  expect((await aws.failures('job')).map(({ id }) => id)).toEqual(['first']);
});
