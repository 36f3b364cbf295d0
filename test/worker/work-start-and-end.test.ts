/** `labelqueue work` as a process, while SQS refuses or the time changes: at its start, and while it ends. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../testkit/eventually.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { type RunningCommand, startCommand } from '../support/command.ts';
import { startMetadataServer } from '../support/instance/metadata-server.ts';
import { type PictureServer, startPictureServer } from '../support/picture-server.ts';
import { startTargetedFaults, type TargetedFaults } from '../support/targeted-faults.ts';
import { tinyModelFolder } from '../support/tiny-model-folder.ts';

/** Starting a process that loads TensorFlow, on a busy machine. */
const START_MS = 60_000;
const ATTRIBUTES = { action: 'GetQueueAttributes', queue: 'labelqueue' } as const;

let aws: TestAws;
let faults: TargetedFaults;
let pictures: PictureServer;
let model: AsyncDisposable & { path: string };
let command: RunningCommand | undefined;

beforeAll(async () => {
  [aws, pictures, model] = await Promise.all([startTestAws(), startPictureServer(), tinyModelFolder()]);
  faults = await startTargetedFaults(aws);
});
afterEach(async () => {
  command?.signal('SIGKILL');
  await command?.ended;
  faults.heal();
  pictures.delayMs = 0;
  pictures.requests = 0;
  aws.clear();
});
afterAll(async () => {
  await Promise.all([faults, pictures, model].map((one) => one[Symbol.asyncDispose]()));
  await aws.stop();
});

function work(environment: Record<string, string> = {}, ...args: string[]): RunningCommand {
  command = startCommand(['work', '--processes', '1', ...args], {
    environment: {
      ...faults.environment,
      ...{ AWS_MAX_ATTEMPTS: '1', MODEL_DIR: model.path, ALLOWED_HOSTS: pictures.host },
      ...environment,
    },
  });
  return command;
}

async function logged(running: RunningCommand, text: string): Promise<void> {
  await eventually(`it logs ${text}`, () => running.stdout().includes(text), START_MS);
}

/** One image is being fetched. */
async function atWork(running: RunningCommand): Promise<void> {
  const images = [{ id: 'a', url: pictures.url('/a') }];
  await aws.send(JSON.stringify({ v: 1, job: 'job', attempt: 1, images }));
  await logged(running, 'work started');
  await eventually('an image is fetched', () => pictures.requests > 0, START_MS);
}

test('starts once SQS answers', async () => {
  faults.inject(ATTRIBUTES, 503);
  const running = work();
  await logged(running, 'SQS does not answer as expected');
  faults.heal();
  await logged(running, 'SQS answers again');
  await logged(running, 'work started');
  running.signal('SIGTERM');
  expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
}, 120_000);

test.each(['503', 'silence'] as const)(
  'can be stopped before SQS has answered (%s)',
  async (fault) => {
    faults.inject(ATTRIBUTES, fault === '503' ? 503 : fault);
    const running = work();
    if (fault === '503') await logged(running, 'SQS does not answer as expected');
    else await eventually('it has called', () => faults.hits() > 0, START_MS);
    running.signal('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
    expect(running.stdout()).toMatch(/"work ended".*"reason":"SIGTERM"/);
  },
  120_000,
);

test('fails when SQS refuses permanently while it ends', async () => {
  pictures.delayMs = 2_000;
  const running = work();
  await atWork(running);
  faults.inject({ action: 'DeleteMessageBatch', queue: 'labelqueue' }, 403);
  running.signal('SIGTERM');
  expect(await running.ended).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the credentials need the permission sqs:DeleteMessage'),
  });
}, 120_000);

test('ends sooner when EC2 announces an interruption while it ends', async () => {
  await using metadata = await startMetadataServer();
  pictures.delayMs = 9_500;
  const endpoint = { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.endpoint };
  const running = work(endpoint, '--spot', '--drain-seconds', '60');
  await atWork(running);
  running.signal('SIGTERM');
  await logged(running, 'work ends');
  // What is left of it is the reserve.
  metadata.documents.set(
    'spot/instance-action',
    JSON.stringify({ action: 'terminate', time: new Date(Date.now() + 10_000).toISOString() }),
  );
  expect(await running.ended).toMatchObject({ code: 0 });
  // A poll that began before the signal may bring what was given back: then it is given back again.
  expect(running.stdout()).toMatch(/"work ended".*"acknowledged":0,"left":0,"givenBack":[12],/);
}, 120_000);
