import { afterEach, expect, test } from '@jest/globals';
import { persistOutcomes } from '../../../functions/classify/persist-outcomes.ts';
import { type OutcomePlan, planOutcomes } from '../../../functions/classify/plan-outcomes.ts';
import type { Destinations } from '../../../functions/classify/worker-dependencies.ts';
import type { ImageOutcome } from '../../../shared/classifier/classify-images.ts';
import { PutOff } from '../../../shared/classifier/put-off.ts';
import { ImageFailure } from '../../../shared/contract/error-codes.ts';
import { MAX_MESSAGE_BYTES } from '../../../shared/contract/limits.ts';
import type { ImageRef, QueueMessage } from '../../../shared/contract/message.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { destinationsOf } from '../../support/test-worker.ts';

const NOT_FOUND = new ImageFailure('not_found', 'expected status 200, got 404');
const SERVER_ERROR = new ImageFailure('server_error', 'expected status 200, got 503');
const CONTEXT = { model: { name: 'model', version: '1' }, retryBaseSeconds: 10, now: new Date(), random: 0 };

const [aws] = await sharedByTests(startTestAws());

const destinations = destinationsOf(aws.target);
afterEach(() => aws.clear());

function image(id: string, more: Partial<ImageRef> = {}): ImageRef {
  return { id, url: `https://example.com/${id}`, ...more };
}

function plan(attempt: number, outcomes: [ImageRef, ImageOutcome][]): OutcomePlan {
  return planOutcomes({ job: 'job', attempt, images: outcomes.map(([image]) => image) }, outcomes, CONTEXT);
}

async function settleNow(plan: OutcomePlan, to = destinations): Promise<void> {
  const settled = persistOutcomes(plan, to);
  to.parts.flush();
  await settled;
}

test('sends each failed image to the DLQ alone, with its error and how often it was tried', async () => {
  const failed = image('a', { meta: { sku: 'X1' } });
  await settleNow(
    plan(5, [
      [failed, SERVER_ERROR],
      [image('b'), NOT_FOUND],
    ]),
  );
  const letters = aws.deadLetters();
  expect(letters.map(({ attributes }) => attributes)).toEqual([
    { job: 'job', code: 'server_error' },
    { job: 'job', code: 'not_found' },
  ]);
  expect(JSON.parse(letters[0]?.body ?? '')).toEqual({
    v: 1,
    job: 'job',
    attempt: 1,
    images: [
      {
        ...failed,
        error: { code: 'server_error', stage: 'fetch', message: 'expected status 200, got 503', attempts: 5 },
      },
    ],
  });
});

test('makes dead letters that are queue messages: moving them back restarts the image', async () => {
  await settleNow(plan(5, [[image('a'), SERVER_ERROR]]));
  const [letter] = aws.deadLetters();
  expect(parseMessage(letter?.body ?? '')).toEqual({ job: 'job', attempt: 1, images: [image('a')] });
});

test('writes a failure line for each dead letter', async () => {
  const { failures, ...others } = plan(1, [[image('a'), NOT_FOUND]]);
  await settleNow({ failures, ...others });
  expect(await aws.failures('job')).toEqual(failures.map(({ line }) => line));
});

test('sends retries with the next attempt, each group with its own delay', async () => {
  await settleNow(
    plan(2, [
      [image('a'), SERVER_ERROR],
      [image('b'), new ImageFailure('rate_limited', 'expected status 200, got 429', 60)],
      [image('c'), SERVER_ERROR],
    ]),
  );
  const queued = aws.queued().map(({ body, delaySeconds }) => ({ message: parseMessage(body), delaySeconds }));
  expect(queued).toHaveLength(2);
  expect(queued).toContainEqual({
    message: { job: 'job', attempt: 3, hops: 1, images: [image('a'), image('c')] },
    delaySeconds: 10,
  });
  expect(queued).toContainEqual({
    message: { job: 'job', attempt: 3, hops: 1, images: [image('b')] },
    delaySeconds: 60,
  });
});

test('sends what was not reached back at once, with the same attempt', async () => {
  await settleNow(plan(5, [[image('a'), 'not_reached']]));
  const [message] = aws.queued();
  expect(message?.delaySeconds).toBe(0);
  expect(parseMessage(message?.body ?? '')).toEqual({ job: 'job', attempt: 5, hops: 1, images: [image('a')] });
});

test.each<[what: string, outcome: ImageOutcome, messages: number[]]>([
  ['was not reached', 'not_reached', [4, 3]],
  ['waits for the decoder', new PutOff('decoder_busy', 30, 'expected the decoder to be free'), [4, 3]],
  ['is on a host that rests', new PutOff('host_rests', 30, 'expected the host to answer'), [7]],
])('sends what %s on in messages of %j images', async (_what, outcome, messages) => {
  const images = Array.from({ length: 7 }, (_, number) => image(`image-${number}`));
  await settleNow(
    plan(
      2,
      images.map((one) => [one, outcome]),
    ),
  );
  const sentOn = aws.queued().map(({ body }) => parseMessage(body) as QueueMessage);
  expect(
    sentOn
      .map(({ images }) => images.length)
      .toSorted()
      .reverse(),
  ).toEqual(messages);
  expect(sentOn.flatMap(({ images }) => images.map(({ id }) => id)).toSorted()).toEqual(images.map(({ id }) => id));
});

test('sends hundreds of dead letters and splits retries that no message holds', async () => {
  const filler = { filler: 'x'.repeat(3_000) };
  const failed = Array.from({ length: 250 }, (_, index): [ImageRef, ImageOutcome] => [image(`f${index}`), NOT_FOUND]);
  const retried = Array.from({ length: 500 }, (_, index): [ImageRef, ImageOutcome] => [
    image(`r${index}`, { meta: filler }),
    SERVER_ERROR,
  ]);
  await settleNow(plan(1, [...failed, ...retried]));
  expect(aws.deadLetters()).toHaveLength(250);
  const messages = aws.queued().map(({ body }) => parseMessage(body));
  expect(messages).toHaveLength(2);
  const ids = messages.flatMap((message) => ('images' in message ? message.images.map(({ id }) => id) : []));
  expect(ids.toSorted()).toEqual(retried.map(([{ id }]) => id).toSorted());
});

test('omits the error from a dead letter that has no room for it', async () => {
  const large = image('a', { meta: { filler: 'x'.repeat(MAX_MESSAGE_BYTES - 500) } });
  await settleNow(plan(1, [[large, NOT_FOUND]]));
  const [letter] = aws.deadLetters();
  expect(parseMessage(letter?.body ?? '')).toEqual({ job: 'job', attempt: 1, images: [large] });
  expect(letter?.attributes).toEqual({ job: 'job', code: 'not_found' });
});

test('sends no dead letter when the failure line could not be written', async () => {
  const noBucket = destinationsOf(aws.target, { resultsBucket: 'no-such-bucket' });
  await expect(settleNow(plan(1, [[image('a'), NOT_FOUND]]), noBucket)).rejects.toMatchObject({
    name: 'NoSuchBucket',
  });
  expect(aws.deadLetters()).toEqual([]);
});

test.each<[string, keyof Destinations, ImageOutcome]>([
  ['dead letter', 'deadLetterQueueUrl', NOT_FOUND],
  ['retry', 'queueUrl', SERVER_ERROR],
  ['return of an image that was not reached', 'queueUrl', 'not_reached'],
])('rejects when the %s cannot be sent', async (_what, queue, outcome) => {
  const missing = `${aws.environment.AWS_ENDPOINT_URL}/000000000000/no-such-queue`;
  const to = destinationsOf(aws.target, { [queue]: missing });
  await expect(settleNow(plan(1, [[image('a'), outcome]]), to)).rejects.toMatchObject({
    name: 'QueueDoesNotExist',
  });
});

test('does the same again into the same part', async () => {
  const outcomes: [ImageRef, ImageOutcome][] = [[image('a'), NOT_FOUND]];
  await settleNow(plan(1, outcomes));
  await settleNow(plan(1, outcomes));
  expect(await aws.partKeys('failures', 'job')).toHaveLength(1);
});
