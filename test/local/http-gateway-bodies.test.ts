import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type HttpGateway, startHttpGateway } from '../../local/http-gateway.ts';
import type { UploadLimits } from '../../local/uploads.ts';

const AT_ONCE = 3;

let gateway: HttpGateway;
let requests: number;
/** What the function does with a request. */
let invoke: () => Promise<APIGatewayProxyStructuredResultV2>;

beforeEach(async () => {
  requests = 0;
  invoke = async () => ({ statusCode: 200, body: 'fine' });
  gateway = await start();
});
afterEach(() => gateway.stop());

function start(uploads: Partial<UploadLimits> = {}): Promise<HttpGateway> {
  return startHttpGateway({
    port: 0,
    atOnce: AT_ONCE,
    uploads,
    invoke() {
      requests++;
      return invoke();
    },
    onFunctionError(error) {
      throw error;
    },
  });
}

type StalledUpload = {
  /** Resolves once the server has the request's head and the first byte of its body. */
  sent: Promise<unknown>;
  answer: Promise<{ statusCode: number | undefined; text: string }>;
  isOver(): boolean;
  /** Sends another byte. */
  write(): void;
  end(): void;
};

/** A POST of which one byte comes, and then nothing. */
function stalledUpload(): StalledUpload {
  const upload = request(gateway.address, { method: 'POST', headers: { 'content-length': 1_000 } });
  let isOver = false;
  const answer = once(upload, 'response').then(async (emitted) => {
    const [response] = emitted as [IncomingMessage];
    isOver = true;
    return { statusCode: response.statusCode, text: await text(response) };
  });
  // Whoever ends it does not wait for an answer.
  answer.catch(() => {});
  upload.on('error', () => {});
  const sent = new Promise((resolve) => upload.write('.', resolve)).then(() => delay(20));
  const write = () => void upload.write('.');
  return { sent, answer, isOver: () => isOver, write, end: () => upload.destroy() };
}

test('stalled bodies delay no other request', async () => {
  const stalled = Array.from({ length: 4 * AT_ONCE }, () => stalledUpload());
  await Promise.all(stalled.map(({ sent }) => sent));
  const responses = [
    await fetch(`${gateway.address}/healthz`),
    await fetch(gateway.address),
    await fetch(gateway.address, { method: 'POST', body: 'whole' }),
  ];
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(stalled.filter(({ isOver }) => isOver())).toEqual([]);
  for (const { end } of stalled) end();
});

describe('with narrow limits on bodies', () => {
  beforeEach(async () => {
    await gateway.stop();
    gateway = await start({ atOnce: 2, bytes: 1_000, stallMs: 500, wholeMs: 3_000 });
  });

  test('a stalled body is aborted', async () => {
    const { answer } = stalledUpload();
    expect(await answer).toMatchObject({ statusCode: 408, text: expect.stringContaining('"upload_timeout"') });
    expect(requests).toBe(0);
  });

  test('a trickling body is aborted', async () => {
    const { answer, write, isOver } = stalledUpload();
    while (!isOver()) {
      write();
      await delay(50);
    }
    expect(await answer).toMatchObject({ statusCode: 408 });
  });

  test('a new body takes the place of one that has stalled', async () => {
    const [first, second] = [stalledUpload(), stalledUpload()];
    await Promise.all([first.sent, second.sent]);
    const stillSent = setInterval(second.write, 10);
    let response = await fetch(gateway.address, { method: 'POST', body: 'whole' });
    while (response.status === 503) response = await fetch(gateway.address, { method: 'POST', body: 'whole' });
    clearInterval(stillSent);
    expect(response.status).toBe(200);
    expect(await first.answer).toMatchObject({ statusCode: 408 });
    second.end();
  });

  test('bodies that would use too much memory together are refused, and their memory is free afterwards', async () => {
    const goOn = Promise.withResolvers<void>();
    invoke = async () => {
      await goOn.promise;
      return { statusCode: 200 };
    };
    const post = () => fetch(gateway.address, { method: 'POST', body: Buffer.alloc(600, '.') });
    const first = post();
    while (requests === 0) await delay(1);
    const second = await post();
    expect({ status: second.status, body: await second.json() }).toMatchObject({
      status: 503,
      body: { code: 'too_many_uploads', retryable: true },
    });
    goOn.resolve();
    expect((await first).status).toBe(200);
    expect((await post()).status).toBe(200);
  });
});
