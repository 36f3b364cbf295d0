import { createReadStream, readFileSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { packageWorker } from '../../infra/package/package-worker.ts';
import { stageApp } from '../../infra/stage-app.ts';
import { stageConfig } from '../../infra/stage-config.ts';
import { EventSource } from '../../local/event-source.ts';
import { ExecutionEnvironment } from '../../local/execution-environment.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { runCommand } from '../support/command.ts';
import { type ImageServer, startImageServer } from '../support/image-server.ts';
import { makeWritable, unzipPackage } from '../support/lambda/packaged-worker.ts';
import { type MotoServer, startMotoServer } from '../support/moto-server.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const STACK = 'labelqueue-moto';
/** The stack is created, and TensorFlow compressed unless it is already. */
const SET_UP_MS = 300_000;

let moto: MotoServer;
let images: ImageServer;
let folder: TemporaryFolder;
let created: string[];

const clientConfig = () => ({
  endpoint: moto.endpoint,
  region: moto.region,
  credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' },
});
const task = () => join(folder.path, 'task');

beforeAll(async () => {
  [moto, images, folder] = await Promise.all([startMotoServer(), startImageServer(), createTemporaryFolder()]);
  const made = await packageWorker(
    { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: folder.path },
    'this machine',
  );
  await unzipPackage(made.path, task());
  created = await createStack(made.path);
}, SET_UP_MS);

afterAll(async () => {
  makeWritable(task());
  await images.close();
  await moto[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What `cdk deploy` does: uploads the assets, then has CloudFormation create the stack. @returns the types it made */
async function createStack(zip: string): Promise<string[]> {
  const { account, region } = moto;
  const outdir = join(folder.path, 'cdk.out');
  const { app } = stageApp(stageConfig('moto', {}), zip, { account, region }, { outdir });
  app.synth();
  const bucket = `cdk-hnb659fds-assets-${account}-${region}`;
  // moto takes minutes to decode the chunks that a checksum behind 135 MB makes.
  const s3 = new S3Client({ ...clientConfig(), requestChecksumCalculation: 'WHEN_REQUIRED' });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const { path, objectKey } of assetsIn(join(outdir, `${STACK}.assets.json`))) {
    const Body = createReadStream(join(outdir, path));
    const { size } = await stat(join(outdir, path));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: objectKey, Body, ContentLength: size }));
  }
  await putBootstrapVersion();
  const cloudFormation = new CloudFormationClient(clientConfig());
  const TemplateBody = readFileSync(join(outdir, `${STACK}.template.json`), 'utf8');
  await cloudFormation.send(
    new CreateStackCommand({ StackName: STACK, TemplateBody, Capabilities: ['CAPABILITY_IAM'] }),
  );
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: STACK }));
  expect(Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE');
  const { StackResourceSummaries = [] } = await cloudFormation.send(
    new ListStackResourcesCommand({ StackName: STACK }),
  );
  return StackResourceSummaries.map(({ ResourceType = '' }) => ResourceType);
}

function assetsIn(manifest: string): { path: string; objectKey: string }[] {
  const { files } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    files: Record<string, { source: { path: string }; destinations: Record<string, { objectKey: string }> }>;
  };
  return Object.values(files).flatMap(({ source, destinations }) =>
    Object.values(destinations).map(({ objectKey }) => ({ path: source.path, objectKey })),
  );
}

/** What `cdk bootstrap` leaves behind, and every template asks for. */
async function putBootstrapVersion(): Promise<void> {
  const response = await askMoto('ssm', '/', {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.PutParameter' },
    body: JSON.stringify({ Name: '/cdk-bootstrap/hnb659fds/version', Value: '30', Type: 'String' }),
  });
  expect(response.status).toBe(200);
}

type FunctionDescription = { Runtime: string; MemorySize: number; Environment: { Variables: Record<string, string> } };

/** The functions that Lambda's control plane knows. */
async function functions(): Promise<FunctionDescription[]> {
  const response = await askMoto('lambda', '/2015-03-31/functions/', {});
  return ((await response.json()) as { Functions: FunctionDescription[] }).Functions;
}

/** A request to a service that no client is installed for; moto tells services by the scope of the signature. */
function askMoto(service: string, path: string, init: { method?: string; headers?: object; body?: string }) {
  const scope = `nobody/20260101/${moto.region}/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
  return fetch(`${moto.endpoint}${path}`, { ...init, headers: { ...init.headers, authorization } });
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

test('labelqueue --stack enqueues to its queue, the packaged worker takes it, and results are in its bucket', async () => {
  const { environment } = moto;
  const source = await folder.write(
    'photos.txt',
    ['/photos/coffee.jpg', '/photos/chelsea.jpg', '/status/404'].map((path) => `${images.url(path)}\n`),
  );
  const enqueued = await runCommand(['enqueue', source, '--job', 'stacked', '--stack', STACK], { environment });
  expect(enqueued).toMatchObject({ code: 0, stdout: 'job stacked: 3 images in 1 message\n' });

  const temporary = join(folder.path, 'tmp');
  await mkdir(temporary);
  const [deployed] = await functions();
  const variables = deployed?.Environment.Variables ?? {};
  const worker = new ExecutionEnvironment({
    handlerPath: join(task(), 'index.mjs'),
    timeoutSeconds: 120,
    environment: { ...environment, ...variables, TMPDIR: temporary, ALLOWED_HOSTS: images.host },
    onLog() {},
  });
  const eventSource = new EventSource({
    sqs: createSqsClient(clientConfig()),
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

test('a stack that is not there is named', async () => {
  const { code, stderr } = await runCommand(['status', '--stack', 'labelqueue-nowhere'], {
    environment: moto.environment,
  });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'labelqueue: there is no stack labelqueue-nowhere in this account and region\n',
  });
});
