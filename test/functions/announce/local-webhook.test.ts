import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { type LocalService, startLocalService } from '../../../local/local-service.ts';
import type { JobEnd } from '../../../shared/contract/job-end.ts';
import { jobEndId } from '../../../shared/contract/job-end.ts';
import { END_LOOK_WINDOW_MS } from '../../../shared/contract/limits.ts';
import { newWebhookSecret } from '../../../shared/contract/standard-webhook.ts';
import { readEndRecord } from '../../../shared/jobs/end-record.ts';
import { enqueue, newJob } from '../../../shared/jobs/enqueue.ts';
import { createJobTarget, type JobTarget } from '../../../shared/jobs/job-target.ts';
import { jobSettingsFrom } from '../../../shared/settings.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { changedModel } from '../../classifier/model-folders.ts';
import { channelMeans } from '../../classifier/tiny-model.ts';
import { runCommand } from '../../support/command.ts';
import { type PictureServer, startPictureServer } from '../../support/picture-server.ts';

const SECRET = newWebhookSecret();
const IMAGES = 60;
/** The promise of docs/events.md. */
const MOST_SECONDS = 30;

type Received = { headers: Record<string, string>; body: string; at: number };

let service: LocalService;
let target: JobTarget;
let pictures: PictureServer;
let misbehaving: ImageServer;
let log = '';
const received: Received[] = [];
/** Statuses of the answers of the webhook, one after the other; then 204. */
const statuses: number[] = [];
const hook = createServer(async (request, response) => {
  received.push({
    headers: request.headers as Record<string, string>,
    body: await text(request),
    at: Date.now(),
  });
  response.writeHead(statuses.shift() ?? 204).end();
});

beforeAll(async () => {
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  [pictures, misbehaving] = await Promise.all([startPictureServer(), startImageServer()]);
  const model = await changedModel({
    config: { inputSize: 8, output: 'means' },
    files: { 'saved_model.pb': channelMeans(8, 'float32'), 'labels.txt': 'red\ngreen\nblue\n' },
  });
  service = await startLocalService({
    port: 0,
    workers: 3,
    workerEnvironment: { ALLOWED_HOSTS: `${pictures.host},${misbehaving.host},${hookHost()}`, MODEL_DIR: model.path },
    webhookSecret: SECRET,
    onLog: (line) => {
      log += line;
    },
    onFunctionError(error) {
      throw error;
    },
  });
  target = createJobTarget(jobSettingsFrom(service.aws.environment), service.aws.clientConfig);
}, 120_000);
afterAll(async () => {
  await service.stop();
  await Promise.all([pictures, misbehaving].map((one) => one[Symbol.asyncDispose]()));
  hook.closeAllConnections();
  hook.close();
});

function hookHost(): string {
  return `127.0.0.1:${(hook.address() as AddressInfo).port}`;
}

async function* images() {
  for (let index = 0; index < IMAGES; index++) yield { id: `image-${index}`, url: pictures.url(`/image-${index}`) };
  yield { id: 'missing', url: misbehaving.url('/status/404') };
}

test('three workers finish a job, and its webhook gets one signed request in time, after refusing the first try', async () => {
  statuses.push(503);
  const job = 'announced';
  const plan = newJob({
    ...{ job, source: 'list', sourceDigest: '', perMessage: 5, images: IMAGES + 1 },
    notify: `http://${hookHost()}/ends`,
  });
  await enqueue(target, images(), plan);
  const waiting = runCommand(['wait', job, '--json'], { environment: service.aws.environment });
  await eventually('two tries of the webhook', () => received.length === 2, 90_000);
  const [first, second] = received as [Received, Received];
  const { type, data } = new Webhook(SECRET).verify(second.body, second.headers) as { type: string; data: JobEnd };
  expect(type).toBe('job.ended');
  expect(data).toMatchObject({
    ...{ id: jobEndId({ job, run: data.run, generation: 0 }), job, state: 'completed with failures' },
    ...{ images: IMAGES + 1, classified: IMAGES, failed: 1, failedByCode: { not_found: 1 }, withoutOutcome: 0 },
  });
  expect(second.headers['webhook-id']).toBe(data.id);
  expect(first.headers['webhook-id']).toBe(data.id);
  expect(first.body).toBe(second.body);
  expect(first.at - Date.parse(data.endedAt)).toBeLessThan(MOST_SECONDS * 1_000);
  expect(JSON.parse((await waiting).stdout)).toMatchObject({ classified: IMAGES, failed: 1 });
  expect(log.match(/"message":"job ended"/g)).toHaveLength(1);

  // Looks that were asked for in later windows find it announced.
  await new Promise((resolve) => setTimeout(resolve, END_LOOK_WINDOW_MS + 7_000));
  expect(received).toHaveLength(2);
  expect((await readEndRecord(target, data)).record).toMatchObject({ state: 'ended', announced: true });
}, 180_000);
