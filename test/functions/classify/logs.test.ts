import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import { ERROR_CODES, type ErrorCode } from '../../../shared/contract/error-codes.ts';
import { MAX_RECEIVE_COUNT } from '../../../shared/contract/limits.ts';
import type { FailureLine } from '../../../shared/contract/result-line.ts';
import { readOutcomes } from '../../../shared/jobs/read-outcomes.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { messageRecord, sqsRecord } from '../../../testkit/sqs-record.ts';
import { type Harness, startHarness } from '../../support/acknowledgement-harness.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const SURPRISING_IMAGES = join(import.meta.dirname, '../../support/throwing-images.mjs');

/** Whatever must not get into a log has this word in it. */
const SECRET = 'SECRET';
const SIGNATURE = 'X-Amz-Signature=SECRET-signature&token=SECRET-token#SECRET-fragment';

/** An image of each kind of failure: its URL without what is secret, its code, how often it was delivered. */
type Failing = { url: string; shown: string; code: ErrorCode; attempt: number; receiveCount: number };

const [harness] = await sharedByTests(startHarness());
let failing: Failing[];
let unreadable: SQSRecord[];
let unsettled: SQSRecord;
/** All that the worker wrote in the run that `beforeAll` makes. */
let log = '';

beforeAll(async () => {
  failing = failingImages(harness);
  unreadable = UNREADABLE.map((body) => sqsRecord(body));
  unsettled = messageRecord({ job: 'unsettled', images: [{ id: 'a', url: harness.pictures.url(`/a?${SIGNATURE}`) }] });
  const worker = await harness.startWorker({
    environment: { POWERTOOLS_LOG_LEVEL: 'DEBUG', POWERTOOLS_LOGGER_LOG_EVENT: 'true' },
    execArgv: ['--import', SURPRISING_IMAGES],
    onLog(text) {
      log += text;
    },
  });
  harness.faults.inject({ put: 'results/job=unsettled/' }, 503);
  const failed = failing.map(({ url, attempt, receiveCount }) => ({
    ...sqsRecord(messageRecord({ job: 'signed', attempt, images: [{ id: url, url }] }).body, receiveCount),
  }));
  const classified = messageRecord({
    job: 'signed',
    images: [{ id: 'good', url: harness.pictures.url(`/good?${SIGNATURE}`) }],
  });
  const { batchItemFailures } = await worker.invoke({ Records: [...failed, ...unreadable, unsettled, classified] });
  expect(batchItemFailures).toEqual([{ itemIdentifier: unsettled.messageId }]);
  await worker.shutDown();
  await eventually('the whole log', () => lines().length > failing.length + unreadable.length);
});

function failingImages({ misbehaving, pictures }: Harness): Failing[] {
  const kinds: [shown: string, code: ErrorCode, attempt?: number, receiveCount?: number][] = [
    [misbehaving.url('/status/404'), 'not_found'],
    [misbehaving.url('/status/403'), 'forbidden'],
    [misbehaving.url('/status/503'), 'server_error', 5],
    [misbehaving.url('/reset'), 'connection_failed', 5],
    [misbehaving.url('/gibberish'), 'invalid_response'],
    [misbehaving.url('/redirect-loop'), 'too_many_redirects'],
    ['http://169.254.169.254/latest/meta-data/', 'address_not_allowed'],
    ['ftp://photos.example.com/a.jpg', 'scheme_not_allowed'],
    ['http://[not-an-address/a.jpg', 'invalid_url'],
    ['s3://photos-of-others/a.jpg', 'bucket_not_allowed'],
    [misbehaving.url('/page'), 'not_an_image'],
    [misbehaving.url('/half-photo'), 'corrupt'],
    // Not all black: see `throwing-images.mjs`.
    [misbehaving.url('/photos/coffee.jpg'), 'inference_failed', 5],
    [pictures.url('/SURPRISE'), 'internal_error', 5],
    [pictures.url('/signed/ABORT'), 'worker_crashed', 2, 2],
    [pictures.url('/again/ABORT'), 'worker_crashed', 1, MAX_RECEIVE_COUNT],
  ];
  const signed = kinds.map(([shown, code, attempt = 3, receiveCount = 1]) => ({
    url: `${shown}?${SIGNATURE}`,
    shown,
    code,
    attempt,
    receiveCount,
  }));
  const redirected = misbehaving.url(
    `/redirect-to?url=${encodeURIComponent(misbehaving.url(`/status/410?${SIGNATURE}`))}`,
  );
  return [
    ...signed,
    { url: redirected, shown: misbehaving.url('/redirect-to'), code: 'gone', attempt: 1, receiveCount: 1 },
    {
      url: 'https://someone:SECRET-password@photos.example.com/a.jpg',
      shown: 'https://photos.example.com/a.jpg',
      code: 'credentials_in_url',
      attempt: 1,
      receiveCount: 1,
    },
  ];
}

const UNREADABLE = [
  'password=SECRET-body',
  '"SECRET-text"',
  '["SECRET-list"]',
  '{"cats":"SECRET-value"}',
  '{"v":1,"job":"SECRET job","attempt":1,"images":[]}',
  '{"v":1,"job":"job","attempt":9,"images":[{"id":"SECRET-id","url":"https://host/?SECRET"}]}',
  '{"images":[{"id":"SECRET-twice","url":"https://host/a"},{"id":"SECRET-twice","url":"https://host/b"}]}',
  JSON.stringify({ url: `https://host/${SECRET.repeat(500)}` }),
  JSON.stringify({
    Records: [
      { eventSource: 'aws:s3', eventName: 'SECRET-event', s3: { bucket: { name: 'photos' }, object: { key: 'a' } } },
    ],
  }),
];

function lines(): string[] {
  return log.split('\n').filter((line) => line !== '');
}

/** The lines of the worker itself; metrics and the chatter of native libraries left out. */
function entries(): Record<string, unknown>[] {
  return lines()
    .filter((line) => line.startsWith('{"level"'))
    .map((line) => JSON.parse(line));
}

/** Each image once: one whose crash failure was written ahead has a second file. */
async function failureLines(): Promise<FailureLine[]> {
  return [...(await readOutcomes(harness.aws.target, 'signed')).failures.values()];
}

test('there are failures of every stage', () => {
  const stages = new Set(failing.map(({ code }) => ERROR_CODES[code].stage));
  expect(stages).toEqual(new Set(Object.values(ERROR_CODES).map(({ stage }) => stage)));
});

test('names job, id, code, stage and attempt of each failed image, and no secret of its URL', () => {
  const failures = entries().filter(({ message }) => message === 'image failed');
  expect(failures).toHaveLength(failing.length);
  for (const { shown, code, attempt } of failing) {
    const expected = { job: 'signed', id: shown, code, stage: ERROR_CODES[code].stage, attempt };
    expect(failures).toContainEqual(expect.objectContaining({ ...expected, messageId: expect.any(String) }));
  }
});

test('says why each malformed message is refused, and nothing of its content', () => {
  for (const { messageId } of unreadable) {
    expect(entries()).toContainEqual(
      expect.objectContaining({ level: 'WARN', messageId, reason: expect.stringMatching(/expected|characters/) }),
    );
  }
});

test('says what went wrong with a message that is not settled', () => {
  expect(entries()).toContainEqual(
    expect.objectContaining({ level: 'ERROR', messageId: unsettled.messageId, reason: expect.stringMatching(/\S/) }),
  );
});

test('writes no secret, no query and no complete event, from the worker or its libraries', () => {
  expect(log).not.toContain(SECRET);
  expect(log).not.toContain('?');
  expect(log).not.toContain('X-Amz');
  for (const part of ['receiptHandle', 'ApproximateReceiveCount', '"body"', '"images"'])
    expect(log).not.toContain(part);
});

test('writes no secret into the errors of failure lines and dead letters', async () => {
  const failures = await failureLines();
  expect(failures).toHaveLength(failing.length);
  for (const { error } of failures) expect(JSON.stringify(error)).not.toMatch(/SECRET|X-Amz|\?/);
  const errors = harness.aws.deadLetters().flatMap(({ body }) => /"error":(\{[^}]*\})/.exec(body)?.[1] ?? []);
  expect(errors).toHaveLength(failing.length);
  for (const error of errors) expect(error).not.toMatch(/SECRET|X-Amz|\?/);
});

test('echoes id and URL in lines as the producer sent them', async () => {
  const results = await harness.aws.results('signed');
  expect(results.map(({ id, url }) => [id, url])).toEqual([['good', harness.pictures.url(`/good?${SIGNATURE}`)]]);
  const failures = await failureLines();
  expect(failures.map(({ url }) => url).toSorted()).toEqual(failing.map(({ url }) => url).toSorted());
});
