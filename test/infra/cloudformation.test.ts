import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { packageWorker } from '../../infra/package/package-worker.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';
import { makeWritable, unzipPackage } from '../../testkit/lambda/packaged-worker.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';
import { runCommand } from '../support/command.ts';
import { EventSource } from '../support/lambda/event-source.ts';
import { type MotoServer, startMotoServer } from '../support/moto-server.ts';
import { askMoto, createMotoStack, motoClientConfig } from '../support/moto-stack.ts';

const ROOT = join(import.meta.dirname, '../..');
const STACK = 'labelqueue-moto';
/** The stack is created, and TensorFlow compressed unless it is already. */
const SET_UP_MS = 300_000;

let moto: MotoServer;
let images: ImageServer;
let folder: TemporaryFolder;
let created: string[];

const task = () => join(folder.path, 'task');

beforeAll(async () => {
  [moto, images, folder] = await Promise.all([startMotoServer(), startImageServer(), createTemporaryFolder()]);
  const made = await packageWorker(
    { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: folder.path },
    'this machine',
  );
  await unzipPackage(made.path, task());
  created = await createMotoStack(moto, { stage: 'moto', zip: made.path, outdir: join(folder.path, 'cdk.out') });
}, SET_UP_MS);

afterAll(async () => {
  makeWritable(task());
  await images.close();
  await moto[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

type FunctionDescription = {
  Handler: string;
  Runtime: string;
  MemorySize: number;
  Environment: { Variables: Record<string, string> };
};

/** The functions that Lambda's control plane knows. */
async function functions(): Promise<FunctionDescription[]> {
  const response = await askMoto(moto, 'lambda', '/2015-03-31/functions/');
  return ((await response.json()) as { Functions: FunctionDescription[] }).Functions;
}

// moto makes no alarms, no tables and no policies of queues, topics and buckets: it lists them without a type.
test('CloudFormation makes the queues, the bucket, the function and its event source', () => {
  expect(created).toEqual(
    expect.arrayContaining([
      'AWS::SQS::Queue',
      'AWS::S3::Bucket',
      'AWS::IAM::Role',
      'AWS::Lambda::Function',
      'AWS::Lambda::EventSourceMapping',
      'AWS::SNS::Topic',
      'AWS::Logs::LogGroup',
      'AWS::CloudWatch::Dashboard',
    ]),
  );
});

test('labelqueue --stack enqueues to its queue, the packaged worker processes it, and results are in its bucket', async () => {
  const { environment } = moto;
  const source = await folder.write(
    'photos.txt',
    ['/photos/coffee.jpg', '/photos/chelsea.jpg', '/status/404'].map((path) => `${images.url(path)}\n`),
  );
  const enqueued = await runCommand(['enqueue', source, '--job', 'stacked', '--stack', STACK], { environment });
  expect(enqueued).toMatchObject({ code: 0, stdout: 'job stacked: 3 images in 1 message\n' });

  const temporary = join(folder.path, 'tmp');
  await mkdir(temporary);
  const deployed = (await functions()).find(({ Handler }) => Handler === 'index.handler');
  const variables = deployed?.Environment.Variables ?? {};
  const worker = new ExecutionEnvironment({
    handlerPath: join(task(), 'index.mjs'),
    timeoutSeconds: 120,
    environment: { ...environment, ...variables, TMPDIR: temporary, ALLOWED_HOSTS: images.host },
    onLog() {},
  });
  const eventSource = new EventSource({
    sqs: createSqsClient(motoClientConfig(moto)),
    queueUrl: variables['QUEUE_URL'] ?? '',
    environments: [worker],
    onFunctionError(error) {
      throw error;
    },
  });
  eventSource.start();
  const waited = await runCommand(['wait', 'stacked', '--timeout', '60', '--stack', STACK], { environment });
  await eventSource.stop();
  await worker.shutDown();
  expect(waited).toMatchObject({ code: 3 });

  const status = await runCommand(['--stack', STACK, 'status', 'stacked', '--json'], { environment });
  expect(JSON.parse(status.stdout)).toMatchObject({
    state: 'completed with failures',
    classified: 2,
    failedByCode: { not_found: 1 },
  });
  const results = await runCommand(['results', 'stacked', '--stack', STACK], { environment });
  const labels = results.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).labels[0].label);
  expect(labels).toContain('espresso');
}, 180_000);

test('a missing stack is named', async () => {
  const { code, stderr } = await runCommand(['status', '--stack', 'labelqueue-nowhere'], {
    environment: moto.environment,
  });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'labelqueue: there is no stack labelqueue-nowhere in this account and region\n',
  });
});
