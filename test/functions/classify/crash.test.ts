import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { packMessages } from '../../../shared/contract/pack-messages.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { readOutcomes } from '../../../shared/jobs/read-outcomes.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { startWorkerFleet } from '../../support/worker-fleet.ts';

const PRELOAD = join(import.meta.dirname, '../../support/poison-images.mjs');
const PHOTO = join(import.meta.dirname, '../../../samples/photos/coffee.jpg');
const HARMLESS = Array.from({ length: 11 }, (_, index) => `photo-${index}`);
/** The worker keeps 5 s of it to write. A slow machine loads the model for the isolated process in the rest. */
const FUNCTION_TIMEOUT_SECONDS = 16;

// Each waits for visibility timeouts most of the time, so all three run at once.
test.concurrent.each(['ABORT', 'HANG', 'EXHAUST'])(
  'an image that makes its worker %s costs only itself',
  async (death) => {
    await using aws = await startTestAws({ visibilityTimeoutSeconds: FUNCTION_TIMEOUT_SECONDS + 1 });
    await using server = await startDeadlyServer();
    const ids = [...HARMLESS.slice(0, 5), death, ...HARMLESS.slice(5)];
    const images = ids.map((id) => ({ id, url: `http://${server.host}/${id}` }));
    for await (const { body } of packMessages({ job: 'job', attempt: 1 }, images)) await aws.send(body);
    await using fleet = await startWorkerFleet(aws, {
      workers: 1,
      timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
      environment: { ALLOWED_HOSTS: server.host },
      execArgv: ['--import', PRELOAD, '--max-old-space-size=200'],
    });

    while ((await aws.failures('job')).length === 0 || aws.queued().length > 0) await delay(200);

    // Each image once, as users see them: what was delivered again stands in a second file.
    const { results, failures } = await readOutcomes(aws.target, 'job');
    expect([...results.keys()].sort()).toEqual([...HARMLESS].sort());
    expect([...failures.values()].map(({ id, error }) => [id, error.code])).toEqual([[death, 'worker_crashed']]);
    expect(aws.deadLetters().map(({ body }) => parseMessage(body))).toEqual([
      { job: 'job', attempt: 1, images: [{ id: death, url: `http://${server.host}/${death}` }] },
    ]);
    // Without a death of the worker itself, the test would have proved nothing.
    expect(fleet.functionErrors.length).toBeGreaterThan(0);
  },
  240_000,
);

/** `/ABORT` is the photo with `#ABORT` behind it, which decodes as before; and so is every other path. */
async function startDeadlyServer(): Promise<AsyncDisposable & { host: string }> {
  const photo = await readFile(PHOTO);
  const server = createServer(({ url = '' }, response) => {
    response.end(Buffer.concat([photo, Buffer.from(`#${url.slice(1)}`)]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
