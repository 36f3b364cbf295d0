/**
 * A disk that is full: the service runs in a process of its own whose files may not grow beyond a few blocks (`ulimit
 * -f`), which makes writes fail for any user, and which is lifted while it runs.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isNoRoom } from '../../local/disk-room.ts';
import { openWorkerLog } from '../../local/worker-log.ts';
import type { AwsAccess } from '../../testkit/aws-process.ts';
import { eventually } from '../../testkit/eventually.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';

const AWS_PROCESS = join(import.meta.dirname, '../../testkit/aws-process-main.ts');
/** Of 512 bytes: room for the queue database as it begins. */
const BLOCKS = 1_024;
const TOO_MUCH = Buffer.alloc(BLOCKS * 512 + 1, '.');

/** The embedded AWS on a disk that is full as soon as a file has more than `BLOCKS`. */
type NarrowAws = AsyncDisposable & {
  s3: S3Client;
  sqs: SQSClient;
  QueueUrl: string;
  stderr(): string;
  makeRoom(): void;
};

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

async function startNarrow(): Promise<NarrowAws> {
  // What is ignored stays ignored: a write beyond the limit fails, as on a full disk, and does not end the process.
  const script = `trap '' XFSZ; ulimit -S -f ${BLOCKS}; exec "$0" "$@"`;
  const child = spawn('sh', ['-c', script, process.execPath, AWS_PROCESS, '600', folder.path], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const [report] = await once(child, 'message');
  const { clientConfig, environment } = report as AwsAccess;
  const impatient = { ...clientConfig, maxAttempts: 1 };
  const [s3, sqs] = [new S3Client(impatient), new SQSClient(impatient)];
  return {
    s3,
    sqs,
    QueueUrl: environment.QUEUE_URL,
    stderr: () => stderr,
    makeRoom: () => void execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:']),
    async [Symbol.asyncDispose]() {
      s3.destroy();
      sqs.destroy();
      if (child.connected) child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function bodies({ sqs, QueueUrl }: NarrowAws): Promise<string[]> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => Body);
}

/** Sends until the database may not grow any more. */
async function fillQueue({ sqs, QueueUrl }: NarrowAws): Promise<{ sent: number; refusal: unknown }> {
  for (let sent = 0; ; sent++) {
    try {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: `${sent} ${'x'.repeat(20_000)}` }));
    } catch (refusal) {
      return { sent, refusal };
    }
  }
}

test('an object without room is refused, does not replace the old one, and is accepted when there is room', async () => {
  await using aws = await startNarrow();
  const target = { Bucket: 'labelqueue', Key: 'a' };
  await aws.s3.send(new PutObjectCommand({ ...target, Body: 'small' }));
  await expect(aws.s3.send(new PutObjectCommand({ ...target, Body: TOO_MUCH }))).rejects.toMatchObject({
    name: 'SlowDown',
    $metadata: { httpStatusCode: 503 },
  });
  const { Body } = await aws.s3.send(new GetObjectCommand(target));
  expect(await Body?.transformToString()).toBe('small');
  await eventually('the notice', () => /^labelqueue: the disk of the state folder is full: .*\n$/.test(aws.stderr()));

  aws.makeRoom();
  await aws.s3.send(new PutObjectCommand({ ...target, Body: TOO_MUCH }));
  const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: 'labelqueue' }));
  expect(Contents.map(({ Key, Size }) => [Key, Size])).toEqual([['a', TOO_MUCH.length]]);
});

test('a message without room is refused, and nothing is received, until there is room', async () => {
  await using aws = await startNarrow();
  const { sent, refusal } = await fillQueue(aws);
  expect(refusal).toMatchObject({ $metadata: { httpStatusCode: 503 } });
  expect(sent).toBeGreaterThan(0);
  // Nobody could write down what comes of it.
  await expect(bodies(aws)).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });

  aws.makeRoom();
  const received: string[] = [];
  await eventually('all that were taken are received', async () => {
    received.push(...(await bodies(aws).catch(() => [])));
    return received.length >= sent;
  });
  expect(received.map((body) => Number.parseInt(body, 10))).toEqual(Array.from({ length: sent }, (_, index) => index));
  const notices = /^.*is full: .*\n.*there is room again in the state folder\n$/;
  await eventually('the notices', () => notices.test(aws.stderr()));
});

test('a message that is deleted while the disk is full stays deleted after the next start', async () => {
  {
    await using aws = await startNarrow();
    const { sqs, QueueUrl } = aws;
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'done' }));
    const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    await fillQueue(aws);
    const { ReceiptHandle } = message ?? {};
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    aws.makeRoom();
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'last' }));
  }
  await using again = await startNarrow();
  again.makeRoom();
  const left: string[] = [];
  await eventually('the last message', async () => {
    left.push(...(await bodies(again)));
    return left.includes('last');
  });
  expect(left).not.toContain('done');
});

test('a log without room drops lines, reports it once, and continues', () => {
  const notices: string[] = [];
  // Each write to it fails as on a full disk.
  using log = openWorkerLog('/dev/full', (text) => notices.push(text));
  log.write('one\n');
  log.write('two\n');
  expect(notices).toEqual([expect.stringMatching(/^\/dev\/full: no space left on the disk; /)]);
});

test('only a write to a full disk is recognized by its error', () => {
  const isNoRoomOf = (action: () => unknown) => {
    try {
      action();
    } catch (error) {
      return isNoRoom(error);
    }
    throw new Error('expected the action to fail');
  };
  expect(isNoRoomOf(() => appendFileSync('/dev/full', 'x'))).toBe(true);
  expect(isNoRoomOf(() => readFileSync(join(folder.path, 'missing')))).toBe(false);
  expect(isNoRoomOf(() => JSON.parse(''))).toBe(false);
});
