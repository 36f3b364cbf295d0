import { beforeAll, expect, test } from '@jest/globals';
import { CODE_DIMENSION, METRICS } from '../../../shared/contract/metric-names.ts';
import { logBytesOf } from '../../../shared/cost.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { messageRecord } from '../../../testkit/sqs-record.ts';
import { startHarness } from '../../support/acknowledgement-harness.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const MESSAGES = 10;
const IMAGES = 100;
/** What Lambda itself writes about an invocation: START, END and REPORT. */
const LAMBDAS_OWN_BYTES = 400;

const [harness] = await sharedByTests(startHarness());
/** Of an invocation of 1,000 images, and of one of 10 messages with an image each. */
let log = '';
let logOfSmallMessages = '';
beforeAll(async () => {
  const worker = await harness.startWorker({
    onLog(text) {
      log += text;
    },
  });
  const Records = Array.from({ length: MESSAGES }, (_, message) => {
    const images = Array.from({ length: IMAGES }, (_, image) => harness.good(`${message}-${image}`));
    const [bad, busy] = [harness.missing(), harness.busy()];
    return messageRecord({ job: 'cats', images: message === 0 ? [...images.slice(2), bad, busy] : images });
  });
  log = '';
  await worker.invoke({ Records });
  await eventually('the metrics', () => metrics().length > 0);
  const ofThousand = log;
  log = '';
  await worker.invoke({
    Records: [...Array(MESSAGES).keys()].map((n) => messageRecord({ images: [harness.good(`${n}`)] })),
  });
  await eventually('the metrics', () => metrics().length > 0);
  logOfSmallMessages = log;
  log = ofThousand;
  await worker.shutDown();
}, 60_000);

function lines(): Record<string, unknown>[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

/** Lines with metrics of all that an invocation did; those by code are apart. */
function metrics(): Record<string, unknown>[] {
  const withMetrics = lines().filter((line) => Object.values(METRICS).some((name) => name in line));
  return withMetrics.filter((line) => !(CODE_DIMENSION in line));
}

test('an invocation of 1,000 images writes one line, plus one line per failure', () => {
  const messages = lines().flatMap(({ message }) => (typeof message === 'string' ? [message] : []));
  expect(messages.toSorted()).toEqual(['image failed', 'invocation']);
});

test('the line has counts, codes, times by stage, the model and the processor', () => {
  expect(lines()).toContainEqual(
    expect.objectContaining({
      message: 'invocation',
      messages: MESSAGES,
      jobs: ['cats'],
      classified: MESSAGES * IMAGES - 2,
      failed: 1,
      retried: 1,
      failureCodes: { not_found: 1 },
      retryCodes: { server_error: 1 },
      unsettled: 0,
      ms: expect.any(Number),
      stageMs: { fetch: expect.any(Number), decode: expect.any(Number), inference: expect.any(Number) },
      model: { name: expect.any(String), version: expect.any(String) },
      processor: expect.stringMatching(/\S/),
      startMs: expect.any(Number),
    }),
  );
});

test('the metrics are written once, with full counts and a sample of the times', () => {
  const found = metrics();
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ ImagesClassified: MESSAGES * IMAGES - 2, ImagesFailed: 1, ImagesRetried: 1 });
  for (const name of [METRICS.fetchTime, METRICS.decodeTime]) expect(found[0]?.[name]).toHaveLength(99);
});

test.each([
  ['1,000 images', () => log, MESSAGES * IMAGES],
  ['10 messages of one image', () => logOfSmallMessages, MESSAGES],
])('an invocation of %s writes at most the bytes assumed in the cost of logs', (_, written, images) => {
  const bytes = Buffer.byteLength(written()) + LAMBDAS_OWN_BYTES;
  expect(bytes).toBeLessThanOrEqual(logBytesOf(1, images));
  expect(bytes).toBeGreaterThan(logBytesOf(1, images) / 2);
});
