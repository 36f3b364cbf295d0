/** SQS that does not answer, behind a proxy that can answer with faults. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../../testkit/eventually.ts';
import { startScriptedFunction } from '../support/scripted-function.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

type Fault = (response: ServerResponse) => void;

/** An SQS that passes requests on, or answers with a fault. */
type FaultySqs = AsyncDisposable & {
  sqs: SQSClient;
  /** To so many requests of an action, `*` for any, from now on. */
  injectFault(action: string, fault: Fault, times: number): void;
  faultsAnswered(): number;
  refuseConnections(): Promise<void>;
  acceptConnections(): Promise<void>;
};

const [lambda] = await sharedByTests(startScriptedFunction({ visibilityTimeoutSeconds: 600, timeoutSeconds: 30 }));
let faulty: FaultySqs;
let notices: string[];

beforeEach(async () => {
  faulty = await startFaultySqs();
  notices = [];
});
afterEach(async () => {
  await lambda.reset();
  await faulty[Symbol.asyncDispose]();
});

async function startFaultySqs(): Promise<FaultySqs> {
  const { AWS_ENDPOINT_URL } = lambda.aws.environment;
  let injected: { action: string; fault: Fault; left: number } | undefined;
  let faultsAnswered = 0;
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request);
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
    const isMeant = injected?.action === '*' || headers['x-amz-target'] === `AmazonSQS.${injected?.action}`;
    if (injected !== undefined && injected.left > 0 && isMeant) {
      injected.left--;
      faultsAnswered++;
      return injected.fault(response);
    }
    const answer = await fetch(AWS_ENDPOINT_URL, { method: 'POST', headers: headers as Record<string, string>, body });
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(await answer.text());
  });
  server.keepAliveTimeout = 0;
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    return closed;
  };
  const endpoint = `http://127.0.0.1:${port}`;
  const sqs = new SQSClient({ ...lambda.aws.clientConfig, endpoint, useQueueUrlAsEndpoint: false, maxAttempts: 1 });
  return {
    sqs,
    injectFault(action, fault, times) {
      injected = { action, fault, left: times };
    },
    faultsAnswered: () => faultsAnswered,
    refuseConnections: close,
    acceptConnections: () => listen(port),
    async [Symbol.asyncDispose]() {
      sqs.destroy();
      if (server.listening) await close();
    },
  };
}

function feed(): void {
  const { sqs } = faulty;
  const patience = { answerTimeoutMs: 5_000, longestWaitMs: 20 };
  lambda.work({ sqs, ...patience, environments: lambda.environments, onNotice: (text) => notices.push(text) });
}

function answer(status: number, type: string): Fault {
  return (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
      .end(JSON.stringify({ __type: type, message: 'not now' }));
}

const FAULTS: [string, Fault][] = [
  ['answers 503', answer(503, 'com.amazonaws.sqs#ServiceUnavailable')],
  ['answers 500 and nothing else', (response) => void response.writeHead(500).end()],
  ['throttles', answer(400, 'com.amazonaws.sqs#RequestThrottled')],
  ['answers 429', answer(429, 'com.amazonaws.sqs#Other')],
  ['closes the connection without an answer', (response) => void response.destroy()],
  [
    'closes the connection in the middle of an answer',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '1000' });
      response.write('{"Messages":[', () => response.destroy());
    },
  ],
  ['answers something else', (response) => void response.writeHead(200).end('<html>a proxy</html>')],
];

const TOLD = [
  expect.stringMatching(/^SQS does not answer as expected \(.+\): asked again until it does$/),
  'SQS answers again',
];

test.each(FAULTS)('continues when SQS %s, once or many times, and reports it once', async (_, fault) => {
  for (const times of [1, 60]) {
    const before = faulty.faultsAnswered();
    notices = [];
    faulty.injectFault('ReceiveMessage', fault, times);
    feed();
    await eventually('all faults', () => faulty.faultsAnswered() === before + times);
    await lambda.aws.send('patient');
    await lambda.allDone(1);
    expect(lambda.bodies()).toEqual(['patient']);
    expect(notices).toEqual(TOLD);
    await lambda.reset();
  }
});

test('reports it once when SQS answers only every second call', async () => {
  for (let bodies = 1; bodies <= 5; bodies++) {
    faulty.injectFault('ReceiveMessage', answer(503, 'com.amazonaws.sqs#ServiceUnavailable'), 1);
    if (bodies === 1) lambda.work({ sqs: faulty.sqs, longestWaitMs: 20, onNotice: (text) => notices.push(text) });
    await eventually('the fault', () => faulty.faultsAnswered() === bodies);
    await lambda.aws.send('patient');
    await lambda.allDone(bodies);
  }
  expect(notices).toEqual(TOLD);
});

test('continues when connections were refused for a while', async () => {
  await faulty.refuseConnections();
  feed();
  await eventually('it was said', () => notices.length === 1);
  expect(notices[0]).toContain('ECONNREFUSED');
  await lambda.aws.send('patient');
  await faulty.acceptConnections();
  await lambda.allDone(1);
  expect(notices).toEqual(TOLD);
});

test('continues when SQS did not answer', async () => {
  const hang: Fault = () => {};
  faulty.injectFault('ReceiveMessage', hang, 2);
  await lambda.aws.send('patient');
  lambda.work({ sqs: faulty.sqs, answerTimeoutMs: 100, longestWaitMs: 20, onNotice: (text) => notices.push(text) });
  await eventually('all requests without an answer', () => faulty.faultsAnswered() === 2);
  await lambda.allDone(1);
  expect(lambda.bodies()).toEqual(['patient']);
});

test.each(FAULTS)('deletes finished messages when SQS %s at first', async (_, fault) => {
  faulty.injectFault('DeleteMessageBatch', fault, 3);
  feed();
  await lambda.aws.send('done once');
  await lambda.allDone(1);
  expect(faulty.faultsAnswered()).toBe(3);
  expect(lambda.bodies()).toEqual(['done once']);
});

test('continues with other messages when one cannot be deleted', async () => {
  faulty.injectFault('DeleteMessageBatch', answer(503, 'com.amazonaws.sqs#ServiceUnavailable'), 5);
  const loop = lambda.work({ sqs: faulty.sqs, longestWaitMs: 20, onNotice: (text) => notices.push(text) });
  await lambda.aws.send('comes again');
  await eventually('it is done', () => faulty.faultsAnswered() === 5);
  await lambda.aws.send('fine');
  await eventually('the other is done', () => lambda.bodies().includes('fine'));
  await eventually('the other is gone', () => lambda.aws.queued().length === 1);
  await eventually('both are counted', () => loop.counts.acknowledged === 1);
  expect(loop.counts).toMatchObject({ received: 2, left: 1 });
  expect(lambda.aws.queued()).toMatchObject([{ body: 'comes again', receiveCount: 1 }]);
});

test('can be stopped at once while SQS does not answer', async () => {
  await faulty.refuseConnections();
  // Longer than this test may take.
  const source = lambda.work({ sqs: faulty.sqs, longestWaitMs: 600_000, onNotice: (text) => notices.push(text) });
  await eventually('it waits', () => notices.length === 1);
  await source.stop();
  await expect(source.ended()).resolves.toBeUndefined();
});

test('ends soon after the time to drain although SQS never answers', async () => {
  const loop = lambda.work({ sqs: faulty.sqs, batchSize: 1, onNotice() {} });
  const pid = lambda.environments[0]?.pid;
  await lambda.aws.send('takes 60000 at work');
  await eventually('it is at work', () => loop.held.inWork === 1);
  await lambda.aws.send('waits');
  await eventually('the other waits', () => loop.held.waiting === 1);
  faulty.injectFault('*', () => {}, Number.POSITIVE_INFINITY);
  // An answer may take 28 s; several calls one after the other would take longer than this test may.
  const stopped = loop.stop(500);
  await eventually('its process is killed at once', () => lambda.environments[0]?.pid !== pid, 4_000);
  await stopped;
  expect(loop.counts).toMatchObject({ received: 2, givenBack: 0, left: 2 });
}, 40_000);

test('acknowledges after an outage in which it was stopped, while there is time to drain', async () => {
  const loop = lambda.work({ sqs: faulty.sqs, onNotice() {} });
  await lambda.aws.send('takes 500 at work');
  await eventually('it is at work', () => loop.held.inWork === 1);
  // Five tries take at least half a second with their pauses, and a few milliseconds without.
  const unavailable = answer(503, 'com.amazonaws.sqs#ServiceUnavailable');
  faulty.injectFault('DeleteMessageBatch', unavailable, Number.POSITIVE_INFINITY);
  const stopped = loop.stop(60_000);
  await eventually('SQS does not take it', () => faulty.faultsAnswered() > 0);
  await new Promise((resolve) => setTimeout(resolve, 250));
  faulty.injectFault('DeleteMessageBatch', unavailable, 0);
  await stopped;
  expect(loop.counts).toMatchObject({ acknowledged: 1, left: 0 });
  expect(lambda.aws.queued()).toEqual([]);
});

test('continues when credentials cannot be renewed in time', async () => {
  let isLate = false;
  const late = Object.assign(new Error('the role does not answer'), { name: 'CredentialsProviderError' });
  const credentials = async () => {
    if (isLate) throw late;
    return { ...lambda.aws.clientConfig.credentials, expiration: new Date(Date.now() + 1_000) };
  };
  const sqs = new SQSClient({ ...lambda.aws.clientConfig, credentials, maxAttempts: 1 });
  const loop = lambda.work({ sqs, longestWaitMs: 20, onNotice: (text) => notices.push(text) });
  await lambda.aws.send('before');
  await lambda.allDone(1);
  isLate = true;
  await eventually('it was reported', () => notices.length === 1);
  isLate = false;
  await lambda.aws.send('after');
  await lambda.allDone(2);
  await loop.stop();
  sqs.destroy();
  expect(notices).toEqual(TOLD);
});

test('ends when SQS refuses permanently', async () => {
  faulty.injectFault('ReceiveMessage', answer(403, 'com.amazonaws.sqs#AccessDenied'), 1);
  const source = lambda.work({ sqs: faulty.sqs, onNotice: (text) => notices.push(text) });
  await expect(source.ended()).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  expect(notices).toEqual([]);
});
