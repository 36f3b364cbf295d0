import { describe, expect, test } from '@jest/globals';
import {
  announceSettingsFrom,
  classifierSettingsFrom,
  jobSettingsFrom,
  SettingsError,
  workerSettingsFrom,
} from '../../shared/settings.ts';

const REQUIRED = {
  QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/123456789012/labelqueue',
  DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/123456789012/labelqueue-dlq',
  RESULTS_BUCKET: 'labelqueue-results',
};

function messageOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as Error).message;
  }
  throw new Error('expected a SettingsError');
}

describe('with required variables only', () => {
  test('the worker has its defaults', () => {
    expect(workerSettingsFrom(REQUIRED)).toEqual({
      queueUrl: REQUIRED.QUEUE_URL,
      deadLetterQueueUrl: REQUIRED.DEAD_LETTER_QUEUE_URL,
      resultsBucket: REQUIRED.RESULTS_BUCKET,
      modelDir: undefined,
      modelPrecision: 'auto',
      modelTrusted: false,
      allowedHosts: [],
      sourceBuckets: [],
      topK: 5,
      embedding: false,
      retryBaseSeconds: 10,
      serviceName: 'classify',
      fetchTimeoutSeconds: 10,
    });
  });

  test('the classifier needs nothing, and allows no host', () => {
    expect(classifierSettingsFrom({})).toMatchObject({ allowedHosts: [], sourceBuckets: [], topK: 5 });
  });

  test('the isolated process reads uploads from the same bucket as the worker', () => {
    expect(classifierSettingsFrom(REQUIRED).resultsBucket).toBe(REQUIRED.RESULTS_BUCKET);
  });

  test('a producer gets only the settings that it needs', () => {
    expect(Object.keys(jobSettingsFrom({ ...REQUIRED, TOP_K: 'many' })).sort()).toEqual([
      'deadLetterQueueUrl',
      'jobEndQueueUrl',
      'queueUrl',
      'resultsBucket',
    ]);
  });
});

test('reads what is set', () => {
  const settings = workerSettingsFrom({
    ...REQUIRED,
    MODEL_DIR: '/opt/model',
    ALLOWED_HOSTS: '127.0.0.1:8080, localhost:80,[::1]:8080,',
    SOURCE_BUCKETS: 'photos,more-photos',
    TOP_K: '3',
    MODEL_PRECISION: 'float32',
    MODEL_TRUSTED: 'true',
    FETCH_TIMEOUT_SECONDS: '2.5',
    FETCH_USER_AGENT: 'my-project/1.0 (me@example.com)',
    RETRY_BASE_SECONDS: '0.5',
    PATH: '/usr/bin',
  });
  expect(settings).toMatchObject({
    modelDir: '/opt/model',
    allowedHosts: ['127.0.0.1:8080', 'localhost:80', '[::1]:8080'],
    sourceBuckets: ['photos', 'more-photos'],
    topK: 3,
    modelPrecision: 'float32',
    modelTrusted: true,
    fetchTimeoutSeconds: 2.5,
    fetchUserAgent: 'my-project/1.0 (me@example.com)',
    retryBaseSeconds: 0.5,
  });
});

test('an empty variable counts as not set', () => {
  expect(workerSettingsFrom({ ...REQUIRED, MODEL_DIR: '', TOP_K: '', ALLOWED_HOSTS: '' })).toEqual(
    workerSettingsFrom(REQUIRED),
  );
  expect(messageOf(() => workerSettingsFrom({ ...REQUIRED, QUEUE_URL: '' }))).toMatch(/QUEUE_URL is not set/);
});

describe('names a required variable that is missing, and what was expected:', () => {
  test.each([
    ['QUEUE_URL', /^ {2}QUEUE_URL is not set: expected the URL of the SQS queue$/m],
    ['DEAD_LETTER_QUEUE_URL', /^ {2}DEAD_LETTER_QUEUE_URL is not set: expected the URL of the dead-letter queue$/m],
    ['RESULTS_BUCKET', /^ {2}RESULTS_BUCKET is not set: expected the name of the S3 bucket for results$/m],
  ])('%s', (name, expected) => {
    expect(messageOf(() => workerSettingsFrom({ ...REQUIRED, [name]: undefined }))).toMatch(expected);
    expect(messageOf(() => jobSettingsFrom({ ...REQUIRED, [name]: undefined }))).toMatch(expected);
  });
});

describe('a model in S3 is pinned:', () => {
  const uri = 's3://models/cats/';
  const sha256 = 'a'.repeat(64);

  test('its address and its hash are read', () => {
    expect(classifierSettingsFrom({ MODEL_S3_URI: uri, MODEL_SHA256: sha256 })).toMatchObject({
      modelS3Uri: uri,
      modelSha256: sha256,
    });
  });

  test.each([
    [{ MODEL_S3_URI: uri }, /MODEL_SHA256 is not set: expected the SHA-256 of the SHA256SUMS/],
    [{ MODEL_SHA256: sha256 }, /MODEL_SHA256 is set and MODEL_S3_URI is not/],
    [{ MODEL_S3_URI: uri, MODEL_SHA256: sha256, MODEL_DIR: '/opt' }, /MODEL_DIR and MODEL_S3_URI are both set/],
    [{ MODEL_S3_URI: 's3://models/cats', MODEL_SHA256: sha256 }, /MODEL_S3_URI=.*with a slash at its end/],
    [{ MODEL_S3_URI: 'https://models/cats/', MODEL_SHA256: sha256 }, /MODEL_S3_URI=.*expected s3:/],
    [{ MODEL_S3_URI: uri, MODEL_SHA256: 'A'.repeat(64) }, /MODEL_SHA256=.*64 hex digits in lower case/],
  ])('%j is refused', (environment, expected) => {
    expect(messageOf(() => classifierSettingsFrom(environment))).toMatch(expected);
  });
});

describe('names an invalid variable, its value and what was expected:', () => {
  test.each([
    ['QUEUE_URL', 'labelqueue', /expected the URL of an SQS queue/],
    ['QUEUE_URL', 'ftp://host/queue', /expected the URL of an SQS queue/],
    ['DEAD_LETTER_QUEUE_URL', 'arn:aws:sqs:eu-central-1:123456789012:dlq', /expected the URL of an SQS queue/],
    ['RESULTS_BUCKET', 'Upper_Case', /expected the name of an S3 bucket/],
    ['RESULTS_BUCKET', 's3://bucket', /expected the name of an S3 bucket/],
    ['ALLOWED_HOSTS', 'localhost', /expected host:port/],
    ['ALLOWED_HOSTS', 'localhost:0', /expected host:port/],
    ['ALLOWED_HOSTS', 'localhost:65536', /expected host:port/],
    ['ALLOWED_HOSTS', 'http://localhost:80', /expected host:port/],
    ['ALLOWED_HOSTS', '::1:80', /expected host:port/],
    ['ALLOWED_HOSTS', '[::g]:80', /expected host:port/],
    ['ALLOWED_HOSTS', '127.0.0.1:80 127.0.0.1:81', /expected host:port/],
    ['ALLOWED_HOSTS', '127.0.0.1:80,*', /expected host:port/],
    ['SOURCE_BUCKETS', 'photos,More', /expected the name of an S3 bucket/],
    ['SOURCE_BUCKETS', '*', /expected the name of an S3 bucket/],
    ['TOP_K', '0', /1/],
    ['TOP_K', '1001', /1000/],
    ['TOP_K', '2.5', /int/],
    ['TOP_K', 'many', /expected number/],
    ['FETCH_TIMEOUT_SECONDS', '0', /0\.1/],
    ['FETCH_TIMEOUT_SECONDS', '11', /10/],
    ['FETCH_USER_AGENT', 'a\r\nX-Injected: b', /printable ASCII/],
    ['FETCH_USER_AGENT', ' spaces around ', /printable ASCII/],
    ['FETCH_USER_AGENT', 'größe/1.0', /printable ASCII/],
    ['FETCH_USER_AGENT', 'x'.repeat(257), /at most 256 characters/],
    ['RETRY_BASE_SECONDS', '-1', /0/],
    ['RETRY_BASE_SECONDS', '901', /900/],
    ['RETRY_BASE_SECONDS', 'soon', /expected number/],
  ])('%s=%s', (name, value, expected) => {
    const message = messageOf(() => workerSettingsFrom({ ...REQUIRED, [name]: value }));
    const [, line = ''] = message.split('\n');
    expect(line.startsWith(`  ${name}=${JSON.stringify(value)}: `)).toBe(true);
    expect(line).toMatch(expected);
  });
});

test('names all errors at once', () => {
  const message = messageOf(() => workerSettingsFrom({ QUEUE_URL: 'labelqueue', TOP_K: '0' }));
  expect(message.split('\n').map((line) => /[A-Z_]{5,}/.exec(line)?.[0])).toEqual([
    undefined,
    'QUEUE_URL',
    'DEAD_LETTER_QUEUE_URL',
    'RESULTS_BUCKET',
    'TOP_K',
  ]);
});

test('an invalid secret is not printed', () => {
  const environment = { ...REQUIRED, JOB_END_QUEUE_URL: REQUIRED.QUEUE_URL, WEBHOOK_SECRET: 'swordfish' };
  expect(() => announceSettingsFrom(environment)).toThrow(/WEBHOOK_SECRET=…: expected whsec_/);
  expect(() => announceSettingsFrom(environment)).not.toThrow(/swordfish/);
});
