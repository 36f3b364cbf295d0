import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { DEADLINE_RESERVE_MS } from '../../../shared/contract/limits.ts';
import { CODE_DIMENSION, METRIC_NAMESPACE, METRICS } from '../../../shared/contract/metric-names.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { messageRecord, sqsRecord } from '../../../testkit/sqs-record.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { ExecutionEnvironment } from '../../../worker/execution-environment.ts';

const HANDLER = join(import.meta.dirname, '../../support/observed-handler.ts');

let aws: TestAws;
let images: ImageServer;
let worker: ExecutionEnvironment;
/** What the worker held when it was ready for its first invocation. */
let usesAtStart: unknown[];
/** What it logged until then. */
let linesAtStart: Record<string, unknown>[];
let log = '';

beforeAll(async () => {
  [aws, images] = await Promise.all([startTestAws(), startImageServer()]);
  worker = createWorker(60);
  await worker.initialize();
  await eventually('the worker says what it holds', () => tensorflowUses().length > 0);
  usesAtStart = tensorflowUses();
  linesAtStart = logLines();
});
beforeEach(() => {
  log = '';
});
afterAll(async () => {
  await worker.shutDown();
  await images.close();
  await aws.stop();
});

function createWorker(timeoutSeconds: number): ExecutionEnvironment {
  return new ExecutionEnvironment({
    handlerPath: HANDLER,
    timeoutSeconds,
    environment: { ...aws.environment, ALLOWED_HOSTS: images.host },
    onLog(text) {
      log += text;
    },
  });
}

/** Resolves when the whole log of the invocation is there: it comes by another way than the answer. */
async function invoke(Records: SQSRecord[], environment = worker): Promise<SQSBatchResponse> {
  const before = tensorflowUses().length;
  const response = await environment.invoke({ Records });
  await eventually('the log of the invocation', () => tensorflowUses().length > before);
  return response;
}

function record(...paths: string[]): SQSRecord {
  return messageRecord({ job: 'pets', images: paths.map((path) => ({ id: images.url(path), url: images.url(path) })) });
}

/** Each whole line has to be JSON, but for two that no setting of TensorFlow turns off. */
function parsedLog(): Record<string, unknown>[] {
  return log
    .split('\n')
    .slice(0, -1)
    .filter((line) => !/^WARNING: All log messages before absl|^I0000 .* MLIR/.test(line))
    .map((line) => JSON.parse(line));
}

function tensorflowUses(): Record<string, unknown>[] {
  return parsedLog().filter((line) => 'tensorflow' in line);
}

function logLines(): Record<string, unknown>[] {
  return parsedLog().filter((line) => !('tensorflow' in line));
}

type EmbeddedMetrics = { _aws: { CloudWatchMetrics: { Namespace: string; Metrics: { Name: string }[] }[] } };

/** The values of each metric in CloudWatch's embedded format, by name; those by code are left out. */
function metrics(): Map<string, number[]> {
  const values = new Map<string, number[]>();
  for (const line of logLines().filter((line) => '_aws' in line && !(CODE_DIMENSION in line))) {
    for (const { Namespace, Metrics } of (line as EmbeddedMetrics)._aws.CloudWatchMetrics) {
      expect(Namespace).toBe(METRIC_NAMESPACE);
      for (const { Name } of Metrics) values.set(Name, [...(values.get(Name) ?? []), line[Name] as number[]].flat());
    }
  }
  return values;
}

test('loads the model once, before the first invocation, and leaves no tensor behind after any', async () => {
  const use = { tensorflow: { modelsLoaded: 1, tensors: 0 } };
  expect(usesAtStart).toEqual([use]);
  for (let invocation = 0; invocation < 10; invocation++) {
    const records = [
      record(`/photos/chelsea.jpg?${invocation}`, '/photos/truncated.jpg'),
      record('/photos/coffee.webp'),
    ];
    expect(await invoke(records)).toEqual({ batchItemFailures: [] });
  }
  expect(tensorflowUses()).toEqual(Array.from({ length: 10 }, () => use));
});

test('names the messages that SQS must redeliver', async () => {
  const [fine, stuck] = [record('/photos/chelsea.jpg'), record('/status/404')];
  aws.server.deleteQueue('labelqueue-dlq');
  try {
    expect(await invoke([fine, stuck])).toEqual({
      batchItemFailures: [{ itemIdentifier: stuck.messageId }],
    });
    expect(metrics().get(METRICS.messagesUnsettled)).toEqual([1]);
  } finally {
    aws.server.createQueue('labelqueue-dlq');
  }
});

test('logs a JSON line for each invocation and each failed image, with ids, stage and code', async () => {
  const given = record('/photos/chelsea.jpg', '/status/404', '/status/503');
  await invoke([given]);
  const lines = logLines();
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'INFO',
      service: 'classify',
      timestamp: expect.any(String),
      function_request_id: expect.any(String),
      message: 'invocation',
      messages: 1,
      jobs: ['pets'],
      classified: 1,
      failed: 1,
      retried: 1,
      notReached: 0,
    }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'WARN',
      message: 'image failed',
      messageId: given.messageId,
      job: 'pets',
      id: images.url('/status/404'),
      code: 'not_found',
      stage: 'fetch',
    }),
  );
});

test('logs why a body is malformed', async () => {
  const unreadable = sqsRecord('{"cats": 3}');
  await invoke([unreadable]);
  expect(logLines()).toContainEqual(
    expect.objectContaining({ level: 'WARN', messageId: unreadable.messageId, reason: expect.any(String) }),
  );
});

test('never logs a body, nor the query of a URL', async () => {
  const secret = 'X-Amz-Signature=0123456789abcdef';
  const given = [
    record(`/photos/chelsea.jpg?${secret}`, `/status/404?${secret}`, `/status/503?${secret}`),
    record(`/photos/not-an-image.jpg?${secret}`, `/redirect-loop?${secret}`, `/reset?${secret}`),
    sqsRecord(`no URL?${secret}`),
    sqsRecord(JSON.stringify({ v: 1, job: 'pets', attempt: 9, images: [{ id: 'a', url: `https://a/?${secret}` }] })),
  ];
  await invoke(given);
  expect(logLines().length).toBeGreaterThanOrEqual(given.length);
  expect(log).not.toContain('0123456789abcdef');
  for (const { body } of given) expect(log).not.toContain(body);
});

const ARITHMETIC = process.arch === 'x64' ? /^int8-(vnni|avx2)$/ : /^float32$/;

test('logs once what determines its speed: processor, model, arithmetic, threads', () => {
  const counts = { shown: expect.any(Number), tensorflow: expect.any(Number), libuv: 16, libvips: 1 };
  expect(linesAtStart).toEqual([
    expect.objectContaining({
      level: 'INFO',
      message: 'worker started',
      processor: { name: expect.stringMatching(/./), flags: expect.any(Array) },
      model: { name: 'efficientnet-lite0', version: process.arch === 'x64' ? '1-int8' : '1' },
      arithmetic: expect.stringMatching(ARITHMETIC),
      threads: counts,
    }),
  ]);
});

test('logs its arithmetic with its metrics, but not as a metric', async () => {
  await invoke([record('/photos/chelsea.jpg')]);
  const embedded = logLines().filter((line) => '_aws' in line && METRICS.inferenceTime in line);
  expect(embedded).toEqual([expect.objectContaining({ arithmetic: expect.stringMatching(ARITHMETIC) })]);
  expect((embedded[0] as EmbeddedMetrics)._aws.CloudWatchMetrics).toMatchObject([{ Dimensions: [['service']] }]);
});

test('counts and times its work in the metrics of dashboards and alarms', async () => {
  await invoke([record('/photos/chelsea.jpg', '/photos/coffee.jpg', '/status/404', '/status/503'), sqsRecord('{}')]);
  const values = metrics();
  const { messagesUnsettled, imagesNotReached, imagesCancelled, messagesOnLastDelivery } = METRICS;
  const others: string[] = [messagesUnsettled, imagesNotReached, imagesCancelled, messagesOnLastDelivery];
  const expected = Object.values(METRICS).filter((name) => !others.includes(name));
  expect([...values.keys()].toSorted()).toEqual(expected.toSorted());
  expect(values.get(METRICS.imagesClassified)).toEqual([2]);
  expect(values.get(METRICS.imagesFailed)).toEqual([1]);
  expect(values.get(METRICS.imagesRetried)).toEqual([1]);
  expect(values.get(METRICS.messagesUnreadable)).toEqual([1]);
  expect(values.get(METRICS.fetchTime)).toHaveLength(4);
  expect(values.get(METRICS.decodeTime)).toHaveLength(2);
  expect(values.get(METRICS.inferenceBatchSize)?.reduce((sum, images) => sum + images)).toBe(2);
});

test('sends images back when its invocation has too little time for them', async () => {
  // No more time than is reserved for writing.
  const hurried = createWorker(DEADLINE_RESERVE_MS / 1_000);
  try {
    await hurried.initialize();
    expect(await invoke([record('/photos/chelsea.jpg')], hurried)).toEqual({ batchItemFailures: [] });
    await eventually('its metrics', () => metrics().has(METRICS.imagesNotReached));
    expect(metrics().get(METRICS.imagesNotReached)).toEqual([1]);
  } finally {
    await hurried.shutDown();
  }
});
