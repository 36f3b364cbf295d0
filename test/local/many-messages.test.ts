/** Queues that are kept on disk: what messages say is there alone, and the disk is given back. */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, test } from '@jest/globals';
import { queueDepths } from '../../shared/jobs/job-status.ts';
import type { AwsAccess } from '../../testkit/aws-process.ts';
import { eventually } from '../../testkit/eventually.ts';
import type { TestAws } from '../../testkit/test-aws.ts';
import { restartableAws } from '../support/restartable-aws.ts';

const AWS_PROCESS = join(import.meta.dirname, '../../testkit/aws-process-main.ts');
const MIB = 1024 * 1024;

const { dataDir, notices, restart, stop } = restartableAws();

/** Writes messages to the database of a service that is stopped, as fauxqs does: `0 xxx…`, `1 xxx…`, and so on. */
function fill(count: number, bytes: number): void {
  using database = new DatabaseSync(join(dataDir(), 'fauxqs.db'));
  database.exec('PRAGMA synchronous = OFF');
  const insert = database.prepare(`
    INSERT INTO sqs_messages (message_id, queue_name, body, md5_of_body, message_attributes, md5_of_message_attributes,
      sent_timestamp) VALUES (?, 'labelqueue', ?, ?, '{}', '', ?)`);
  database.exec('BEGIN');
  for (let index = 0; index < count; index++) {
    const body = `${index} `.padEnd(bytes, 'x');
    insert.run(randomUUID(), body, createHash('md5').update(body).digest('hex'), Date.now());
  }
  database.exec('COMMIT');
}

async function databaseBytes(): Promise<number> {
  const sizes = ['', '-wal'].map((ending) => stat(join(dataDir(), `fauxqs.db${ending}`)).catch(() => ({ size: 0 })));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}

/** Receives and deletes all that is visible. */
async function drain({ target: { sqs, queueUrl: QueueUrl } }: TestAws): Promise<number> {
  for (let messages = 0; ; ) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return messages;
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    messages += Messages.length;
  }
}

test('a start does not load message bodies into memory, and delivers them in order', async () => {
  await restart();
  await stop();
  // 300 MB in a process whose heap takes a third of it.
  fill(30_000, 10_000);
  const child = spawn(process.execPath, ['--max-old-space-size=100', AWS_PROCESS, '600', dataDir()], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [report] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  const { clientConfig, environment } = report as AwsAccess;
  const sqs = new SQSClient({ ...clientConfig, maxAttempts: 1 });
  const QueueUrl = environment.QUEUE_URL;
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  expect(Messages.map(({ Body = '' }) => [Number.parseInt(Body, 10), Body.length])).toEqual(
    Array.from({ length: 10 }, (_, index) => [index, 10_000]),
  );
  const AttributeNames = ['ApproximateNumberOfMessages' as const];
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
  expect(Attributes).toEqual({ ApproximateNumberOfMessages: '29990' });
  sqs.destroy();
  child.disconnect();
  await once(child, 'exit');
}, 60_000);

test('text, attributes and digests of a message are kept over a restart, and on the DLQ', async () => {
  const aws = await restart();
  const { sqs, queueUrl: QueueUrl } = aws.target;
  const MessageAttributes = { reason: { DataType: 'String', StringValue: 'naïve 💥' } };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'grüße 💥', MessageAttributes }));
  const again = await restart();
  const known = { body: 'grüße 💥', attributes: { reason: 'naïve 💥' } };
  expect(again.queued()).toMatchObject([known]);
  // The SDK checks both digests.
  const receive = () =>
    again.target.sqs.send(
      new ReceiveMessageCommand({
        ...{ QueueUrl: again.target.queueUrl, VisibilityTimeout: 0, MessageAttributeNames: ['All'] },
      }),
    );
  await eventually('it is in the DLQ', async () => {
    await receive();
    return again.deadLetters().length > 0;
  });
  expect(again.queued()).toEqual([]);
  const last = await restart();
  expect(last.queued()).toEqual([]);
  expect(last.deadLetters()).toMatchObject([known]);
});

test('receive counts are kept over a restart', async () => {
  const aws = await restart();
  await aws.send(...Array.from({ length: 12 }, (_, index) => `message ${index}`));
  const { sqs, queueUrl: QueueUrl } = aws.target;
  const receive = () =>
    sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }));
  expect((await receive()).Messages).toHaveLength(10);
  const counts = (await restart()).queued().map(({ receiveCount }) => receiveCount);
  expect(counts.toSorted()).toEqual([0, 0, ...Array.from({ length: 10 }, () => 1)]);
});

test('messages are delivered in order after a purge and when they are redelivered', async () => {
  const aws = await restart();
  const { sqs, queueUrl: QueueUrl } = aws.target;
  const receive = async (VisibilityTimeout: number) => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 2, VisibilityTimeout }),
    );
    return Messages.map(({ Body = '' }) => Body);
  };
  await aws.send('of before');
  expect(await receive(600)).toEqual(['of before']);
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  for (const body of ['one', 'two', 'three']) await aws.send(body);
  expect(await receive(0)).toEqual(['one', 'two']);
  expect(aws.queued()).toHaveLength(3);
  expect(await receive(600)).toEqual(['three', 'one']);
  expect(await receive(600)).toEqual(['two']);
});

test('a message whose row is missing is delivered empty, and named', async () => {
  const aws = await restart();
  await aws.send('here today');
  using database = new DatabaseSync(join(dataDir(), 'fauxqs.db'));
  database.exec('DELETE FROM sqs_messages');
  const { Messages } = await aws.target.sqs.send(new ReceiveMessageCommand({ QueueUrl: aws.target.queueUrl }));
  expect(Messages?.map(({ Body = '' }) => Body)).toEqual(['']);
  expect(notices).toEqual([expect.stringMatching(/^the message [0-9a-f-]{36} is damaged: .* handed out empty$/)]);
});

describe('disk space is freed', () => {
  async function filled(): Promise<void> {
    await restart();
    await stop();
    fill(3_000, 20_000);
    expect(await databaseBytes()).toBeGreaterThan(50 * MIB);
  }

  test('when the last messages are done', async () => {
    await filled();
    const aws = await restart();
    expect(await drain(aws)).toBe(3_000);
    expect(await databaseBytes()).toBeLessThan(MIB);
    await aws.send('next');
    expect((await restart()).queued()).toMatchObject([{ body: 'next' }]);
  });

  test('when the queue is purged', async () => {
    await filled();
    const { target } = await restart();
    await target.sqs.send(new PurgeQueueCommand({ QueueUrl: target.queueUrl }));
    expect(await databaseBytes()).toBeLessThan(MIB);
  });

  test('at the start, if it was not before', async () => {
    await filled();
    {
      using database = new DatabaseSync(join(dataDir(), 'fauxqs.db'));
      database.exec("DELETE FROM sqs_messages WHERE body NOT LIKE '7 %'");
    }
    const aws = await restart();
    expect(await databaseBytes()).toBeLessThan(MIB);
    expect(aws.queued().map(({ body }) => body.slice(0, 2))).toEqual(['7 ']);
  });
});

test('delayed messages that are due count as waiting, even without a receive', async () => {
  const aws = await restart();
  const { sqs, queueUrl: QueueUrl } = aws.target;
  for (let index = 0; index < 20; index++) {
    aws.server.sendMessage('labelqueue', `soon ${index}`, { delaySeconds: 1 });
    aws.server.sendMessage('labelqueue', `later ${index}`, { delaySeconds: 600 });
  }
  await aws.send('in hand for a while');
  await sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 1 }));
  expect(await queueDepths(aws.target)).toMatchObject({ waiting: 0, inFlight: 1, retrying: 40 });
  await eventually('it is seen', async () => (await queueDepths(aws.target)).waiting === 21);
  expect(await queueDepths(aws.target)).toEqual({ waiting: 21, inFlight: 0, retrying: 20, deadLetters: 0 });
});
