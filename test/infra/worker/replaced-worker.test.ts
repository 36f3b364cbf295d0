/** What a deploy does to a job: the old worker ends, in whatever way, and a new one takes the rest. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { packMessages } from '../../../shared/contract/pack-messages.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { readOutcomes } from '../../../shared/jobs/read-outcomes.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { changedModel } from '../../classifier/model-folders.ts';
import { channelMeans } from '../../classifier/tiny-model.ts';
import { type PictureServer, startPictureServer } from '../../support/picture-server.ts';
import { startWorkerFleet, type WorkerFleet } from '../../support/worker-fleet.ts';

const IMAGES = 240;
const PER_MESSAGE = 4;
/** Short, so that the test does not wait long for what the old worker had. */
const VISIBILITY_TIMEOUT_SECONDS = 5;

let pictures: PictureServer;
let model: AsyncDisposable & { path: string };
beforeAll(async () => {
  pictures = await startPictureServer();
  // Slow enough that the job is not over before the worker is replaced.
  pictures.delayMs = 100;
  model = await changedModel({
    config: { inputSize: 8, output: 'means' },
    files: { 'saved_model.pb': channelMeans(8, 'float32'), 'labels.txt': 'red\ngreen\nblue\n' },
  });
});
afterAll(async () => {
  await pictures[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

/** @param topK tells in each line which version wrote it */
function deploy(aws: TestAws, topK: number): Promise<WorkerFleet> {
  const environment = { MODEL_DIR: model.path, ALLOWED_HOSTS: pictures.host, TOP_K: String(topK) };
  return startWorkerFleet(aws, { workers: 1, timeoutSeconds: 120, environment });
}

test.each([
  ['finishes what it has', async (old: WorkerFleet) => old[Symbol.asyncDispose]()],
  [
    'dies with what it has',
    async (old: WorkerFleet) => {
      const { requests, delayMs } = pictures;
      pictures.delayMs = 2_000;
      await eventually('the old worker has images in hand', () => pictures.requests > requests);
      process.kill(old.environments[0]?.pid as number, 'SIGKILL');
      pictures.delayMs = delayMs;
      await eventually('the old worker is gone', () => old.functionErrors.length > 0);
      await old[Symbol.asyncDispose]();
    },
  ],
])(
  'no image is lost or counted twice when a worker is replaced that %s',
  async (_how, end) => {
    await using aws = await startTestAws({ visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS });
    const ids = Array.from({ length: IMAGES }, (_, index) => `image-${index}`);
    const images = ids.map((id) => ({ id, url: pictures.url(`/${id}`) }));
    for await (const { body } of packMessages({ job: 'job', attempt: 1 }, images, PER_MESSAGE)) await aws.send(body);

    const old = await deploy(aws, 1);
    await eventually('the old worker has written', async () => (await aws.results('job')).length > 0);
    await end(old);
    await using _new = await deploy(aws, 2);
    await eventually('the queue is empty', () => aws.queued().length === 0, 60_000);

    const { results, failures } = await readOutcomes(aws.target, 'job');
    expect([...results.keys()].toSorted()).toEqual(ids.toSorted());
    expect([...failures.keys()]).toEqual([]);
    expect(aws.deadLetters().map(({ body }) => parseMessage(body))).toEqual([]);
    // Both had a part in it.
    expect(new Set([...results.values()].map(({ labels }) => labels.length))).toEqual(new Set([1, 2]));
  },
  120_000,
);
