import { Readable } from 'node:stream';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, expect, test } from '@jest/globals';
import { isThrottled, type PatienceOptions, type Throttling, withPatience } from '../../shared/jobs/throttling.ts';
import { startInterceptedAws } from '../support/intercepted-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const SLOW_DOWN = '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Less, please.</Message></Error>';
/** Pauses that no test waits for. */
const QUICK = { baseMs: 1, maxMs: 2 };

const [network] = await sharedByTests(startInterceptedAws());
let refused: number;
beforeEach(() => {
  network.intercepted.s3.middlewareStack.remove('patience');
  refused = 0;
});

/** Refuses as many requests as are given, then none. */
function refuseFirst(count: number): void {
  network.intercept(async (_call, pass, _cut, answer) => {
    if (refused === count) return pass();
    refused++;
    answer({ status: 503, body: SLOW_DOWN });
  });
}

function patient(options: Partial<PatienceOptions> = {}) {
  const reports: Throttling[] = [];
  const s3 = withPatience(network.intercepted.s3, {
    onThrottled: (report) => reports.push(report),
    ...QUICK,
    ...options,
  });
  const list = () => s3.send(new ListObjectsV2Command({ Bucket: network.intercepted.resultsBucket }));
  return { s3, list, reports };
}

test('reports add up to the answered and refused requests', async () => {
  const { list, reports } = patient({ reportMs: 0 });
  refuseFirst(0);
  await Promise.all([list(), list(), list()]);
  refuseFirst(5);
  await list();
  expect(reports).toHaveLength(5);
  expect(reports[0]).toEqual({ code: 'SlowDown', message: 'Less, please.', answered: 3, refused: 1, seconds: 0 });
  expect(reports.reduce((sum, report) => sum + report.refused, 0)).toBe(5);
  expect(reports.slice(1).every(({ answered, seconds }) => answered === 0 && seconds > 0)).toBe(true);
});

test('many refusals at once are one report', async () => {
  const { list, reports } = patient();
  refuseFirst(20);
  await Promise.all(Array.from({ length: 10 }, list));
  expect(reports).toHaveLength(1);
});

test('a service that has not answered for too long is an error', async () => {
  const { list } = patient({ giveUpAfterMs: 0 });
  refuseFirst(100);
  await expect(list()).rejects.toMatchObject({ name: 'SlowDown' });
  expect(refused).toBe(1);
});

test('a body that can be read only once is not sent again', async () => {
  const { s3 } = patient();
  refuseFirst(100);
  const Body = Readable.from([Buffer.from('once')]);
  const put = new PutObjectCommand({ Bucket: network.intercepted.resultsBucket, Key: 'x', Body, ContentLength: 4 });
  await expect(s3.send(put)).rejects.toMatchObject({ name: 'SlowDown' });
  expect(refused).toBe(1);
});

test.each([
  [{ name: 'SlowDown' }, true],
  [{ name: 'RequestThrottled', $metadata: { httpStatusCode: 400 } }, true],
  [{ name: 'UnknownError', $metadata: { httpStatusCode: 503 } }, true],
  [{ name: 'UnknownError', $metadata: { httpStatusCode: 429 } }, true],
  [{ name: 'InternalError', $metadata: { httpStatusCode: 500 } }, false],
  [{ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }, false],
  [undefined, false],
])('whether %j asks for fewer requests: %p', (error, expected) => {
  expect(isThrottled(error)).toBe(expected);
});
