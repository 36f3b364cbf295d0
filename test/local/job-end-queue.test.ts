import { ChangeMessageVisibilityCommand, DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { beforeEach, expect, test } from '@jest/globals';
import { END_LOOK_RECEIVES } from '../../shared/contract/limits.ts';
import { requestEndLook } from '../../shared/jobs/end-look.ts';
import type { TestAws } from '../../testkit/test-aws.ts';
import { anyRun } from '../support/ended-run.ts';
import { restartableAws } from '../support/restartable-aws.ts';

const QUEUE = 'labelqueue-job-ends.fifo';
const DEAD_LETTER_QUEUE = 'labelqueue-job-ends-dlq.fifo';

const service = restartableAws();
let aws: TestAws;
beforeEach(async () => {
  aws = await service.restart();
});

async function restart(): Promise<void> {
  aws = await service.restart();
}

function bodiesIn(queue: string): string[] {
  const { ready = [], delayed = [] } = aws.server.inspectQueue(queue)?.messages ?? {};
  return [...ready, ...delayed].map(({ body }) => body);
}

/** Tests do not wait for the delay. */
function withoutDelay(): void {
  const queue = aws.server.inspectQueue(QUEUE) as unknown as { messages: { delayed: { delayUntil?: number }[] } };
  for (const message of queue.messages.delayed) message.delayUntil = 1;
}

async function receive(): Promise<string | undefined> {
  const QueueUrl = aws.environment.JOB_END_QUEUE_URL;
  return (await aws.target.sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0]?.ReceiptHandle;
}

async function request(): Promise<string> {
  const of = anyRun();
  await requestEndLook({ sqs: aws.target.sqs, jobEndQueueUrl: aws.environment.JOB_END_QUEUE_URL }, of);
  return JSON.stringify({ v: 1, ...of });
}

test('a request for a check is kept over a restart, and gone when it was deleted', async () => {
  const body = await request();
  await restart();
  expect(bodiesIn(QUEUE)).toEqual([body]);
  withoutDelay();
  const ReceiptHandle = await receive();
  await aws.target.sqs.send(new DeleteMessageCommand({ QueueUrl: aws.environment.JOB_END_QUEUE_URL, ReceiptHandle }));
  await restart();
  expect(bodiesIn(QUEUE)).toEqual([]);
});

test('a request that was received too often is on its DLQ, even after a restart', async () => {
  const body = await request();
  withoutDelay();
  const QueueUrl = aws.environment.JOB_END_QUEUE_URL;
  for (let received = 0; received < END_LOOK_RECEIVES; received++) {
    const ReceiptHandle = await receive();
    const again = { QueueUrl, ReceiptHandle, VisibilityTimeout: 0 };
    await aws.target.sqs.send(new ChangeMessageVisibilityCommand(again));
  }
  expect(await receive()).toBeUndefined();
  expect(bodiesIn(DEAD_LETTER_QUEUE)).toEqual([body]);
  await restart();
  expect(bodiesIn(QUEUE)).toEqual([]);
  expect(bodiesIn(DEAD_LETTER_QUEUE)).toEqual([body]);
});
