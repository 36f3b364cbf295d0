/** `labelqueue work` with queues that others have written. */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { eventually } from '../../testkit/eventually.ts';
import { CLOUDS, type Cloud } from '../support/clouds.ts';
import { type RunningCommand, startCommand } from '../support/command.ts';
import { type PictureServer, startPictureServer } from '../support/picture-server.ts';
import { tinyModelFolder } from '../support/tiny-model-folder.ts';

/** Fetching Java programs and Python packages for the first time takes a while. */
const FIRST_TIME_MS = 180_000;

describe.each(CLOUDS.slice(1))('with %s', (_name, start) => {
  let cloud: Cloud;
  let pictures: PictureServer;
  let model: AsyncDisposable & { path: string };

  beforeAll(async () => {
    [cloud, pictures, model] = await Promise.all([start(), startPictureServer(), tinyModelFolder()]);
  }, FIRST_TIME_MS);
  afterAll(async () => {
    await Promise.all([cloud, pictures, model].map((one) => one[Symbol.asyncDispose]()));
  });

  function work(...args: string[]): RunningCommand {
    return startCommand(['work', '--processes', '1', ...args], {
      environment: { ...cloud.environment, MODEL_DIR: model.path, ALLOWED_HOSTS: pictures.host },
    });
  }

  async function send(...ids: string[]): Promise<void> {
    const bodies = ids.map((id) => ({
      body: JSON.stringify({ v: 1, job: 'job', attempt: 1, images: [{ id, url: pictures.url(`/${id}`) }] }),
    }));
    await sendMessages(cloud.target.sqs, cloud.target.queueUrl, bodies);
  }

  test('returns messages to the queue at once when there is no time for them, and empties the queue', async () => {
    pictures.delayMs = 5_000;
    await send('a');
    const first = work('--drain-seconds', '0');
    await eventually('an image is fetched', () => pictures.requests > 0, 60_000);
    first.signal('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0 });
    const { sqs, queueUrl: QueueUrl } = cloud.target;
    const peek = new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0, WaitTimeSeconds: 0 });
    expect((await sqs.send(peek)).Messages).toHaveLength(1);

    pictures.delayMs = 0;
    await send('b', 'c');
    const second = work('--exit-when-empty', '2');
    expect(await second.ended).toMatchObject({ code: 0 });
    expect([...(await readOutcomes(cloud.target, 'job')).results.keys()].toSorted()).toEqual(['a', 'b', 'c']);
    expect((await sqs.send(peek)).Messages ?? []).toEqual([]);
  }, 180_000);
});
