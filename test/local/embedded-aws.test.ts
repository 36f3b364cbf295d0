import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';

let dataDir: string;
let running: TestAws | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'labelqueue-test-'));
});
afterEach(async () => {
  await running?.stop();
  await rm(dataDir, { recursive: true });
});

async function start(options: Parameters<typeof startTestAws>[0] = { dataDir }): Promise<TestAws> {
  running = await startTestAws(options);
  return running;
}

async function restart(): Promise<TestAws> {
  await running?.stop();
  return start();
}

async function receive({ target }: TestAws, queueUrl = target.queueUrl) {
  const { Messages = [] } = await target.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 1, MessageSystemAttributeNames: ['All'] }),
  );
  return Messages;
}

test('has the queue, its visibility timeout, and the redrive to the DLQ after five receives', async () => {
  const { target } = await start({});
  const { Attributes } = await target.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: target.queueUrl, AttributeNames: ['All'] }),
  );
  const deadLetterQueue = await target.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: target.deadLetterQueueUrl, AttributeNames: ['QueueArn'] }),
  );
  expect(Attributes?.['VisibilityTimeout']).toBe(String(VISIBILITY_TIMEOUT_SECONDS));
  expect(JSON.parse(Attributes?.['RedrivePolicy'] ?? '')).toEqual({
    deadLetterTargetArn: deadLetterQueue.Attributes?.['QueueArn'],
    maxReceiveCount: MAX_RECEIVE_COUNT,
  });
});

test('moves a message to the DLQ that was received five times and never deleted', async () => {
  const aws = await start({ visibilityTimeoutSeconds: 0 });
  await aws.send('nobody takes me');
  for (let count = 1; count <= MAX_RECEIVE_COUNT; count++) {
    const [message] = await receive(aws);
    expect(message?.Attributes?.['ApproximateReceiveCount']).toBe(String(count));
  }
  expect(await receive(aws)).toEqual([]);
  expect(aws.deadLetters().map(({ body }) => body)).toEqual(['nobody takes me']);
});

test('still has messages and objects after a stop and a start', async () => {
  const before = await start();
  await before.send('waiting');
  await before.target.s3.send(
    new PutObjectCommand({ Bucket: before.target.resultsBucket, Key: 'jobs/a/job.json', Body: '{}' }),
  );
  const after = await restart();
  expect((await receive(after)).map(({ Body }) => Body)).toEqual(['waiting']);
  const { Body } = await after.target.s3.send(
    new GetObjectCommand({ Bucket: after.target.resultsBucket, Key: 'jobs/a/job.json' }),
  );
  expect(await Body?.transformToString()).toBe('{}');
});

test('keeps deletions, delays and receive counts', async () => {
  const before = await start({ dataDir, visibilityTimeoutSeconds: 0 });
  await before.send('done');
  const [done] = await receive(before);
  await before.target.sqs.send(
    new DeleteMessageCommand({ QueueUrl: before.target.queueUrl, ReceiptHandle: done?.ReceiptHandle }),
  );
  await before.send('tried once');
  await receive(before);
  before.server.sendMessage('labelqueue', 'later', { delaySeconds: 600 });

  const after = await restart();
  expect(after.queued().map(({ body, delaySeconds }) => ({ body, delaySeconds }))).toEqual(
    expect.arrayContaining([
      { body: 'tried once', delaySeconds: 0 },
      { body: 'later', delaySeconds: expect.closeTo(600, 0) },
    ]),
  );
  expect(after.queued()).toHaveLength(2);
  const [again] = await receive(after);
  expect(again?.Body).toBe('tried once');
  expect(again?.Attributes?.['ApproximateReceiveCount']).toBe('2');
});

test('still redrives after a restart', async () => {
  await start({ dataDir, visibilityTimeoutSeconds: 0 });
  const aws = await restart();
  await aws.send('nobody takes me');
  for (let count = 1; count <= MAX_RECEIVE_COUNT + 1; count++) await receive(aws);
  expect(aws.deadLetters().map(({ body }) => body)).toEqual(['nobody takes me']);
});

test('makes messages that were in flight when the last service ended visible at once, with their receive counts', async () => {
  const before = await start({ dataDir, visibilityTimeoutSeconds: 600 });
  await before.send('in flight');
  await receive(before);
  expect(await receive(before)).toEqual([]);
  const after = await restart();
  const [message] = await receive(after);
  expect(message).toMatchObject({ Body: 'in flight', Attributes: { ApproximateReceiveCount: '2' } });
});

test('redelivers a message at once when its visibility timeout is set to zero', async () => {
  const aws = await start({ dataDir, visibilityTimeoutSeconds: 600 });
  const { sqs, queueUrl: QueueUrl } = aws.target;
  await aws.send('given back');
  const [{ ReceiptHandle } = {}] = await receive(aws);
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  expect((await receive(aws)).map(({ Body }) => Body)).toEqual(['given back']);
  const after = await restart();
  expect((await receive(after)).map(({ Body }) => Body)).toEqual(['given back']);
});

test('accepts exactly the characters that SQS accepts', async () => {
  const aws = await start({});
  const taken = 'tab\t, \u{d7ff}, \u{e000}, \u{fffd}, \u{10000} 💥 \u{10ffff}';
  await aws.send(taken);
  expect((await receive(aws)).map(({ Body }) => Body)).toEqual([taken]);
  const { sqs, queueUrl: QueueUrl } = aws.target;
  for (const character of ['\0', '\u{1b}', '\u{fffe}', '\u{ffff}']) {
    const sent = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: `a${character}b` }));
    await expect(sent).rejects.toThrow('Invalid characters');
  }
});

test('has its own access key, which is kept as long as its data folder', async () => {
  const keyOf = ({ environment }: TestAws) => environment.AWS_ACCESS_KEY_ID;
  const first = keyOf(await start());
  expect(keyOf(await restart())).toBe(first);
  expect(first).toMatch(/^LQ[A-Z2-7]{26}$/);
  expect((await stat(join(dataDir, 'credentials.json'))).mode & 0o077).toBe(0);
  await running?.stop();
  expect(keyOf(await start({}))).not.toBe(first);
});

test('refuses a data folder that is in use, and names the process', async () => {
  await start();
  await expect(startTestAws({ dataDir })).rejects.toMatchObject({
    name: 'StateFolderError',
    message: expect.stringMatching(`^${dataDir} is in use by process ${process.pid}: .*--state-dir.*--port`),
  });
  await restart();
});

test('stores nothing without a data folder', async () => {
  const { send, stop } = await start({});
  await send('forgotten');
  await stop();
  const aws = await start({});
  expect(aws.queued()).toEqual([]);
});

test('answers only this machine', async () => {
  const { server } = await start({});
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  // With no network there is no outside to shut out; loopback is what the other tests use.
  for (const { address } of outward) expect(await answered(address, server.port)).toBe(false);
  expect(await answered('127.0.0.1', server.port)).toBe(true);
});

/** Whether anything answers an HTTP request at the address. */
async function answered(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
    socket.end();
  });
  socket.write('GET /health HTTP/1.0\r\n\r\n');
  await new Promise((resolve) => socket.on('error', resolve).on('close', resolve));
  return answer.startsWith('HTTP/');
}
