/**
 * Our worker as the benchmark runs it: the real handler, and the loop around it that Lambda's event source
 * is. It speaks to the benchmark as the peers do: settings on the first line of standard input, `ready`,
 * a second line, and what it took as JSON.
 */
import { createInterface } from 'node:readline';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSRecord } from 'aws-lambda';
import { FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { sqsRecord } from '../../testkit/sqs-record.ts';

const input = createInterface(process.stdin)[Symbol.asyncIterator]();
const settings = JSON.parse((await input.next()).value ?? '') as { queue: string; endpoint: string };
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
const { handler } = await import('../../functions/classify/handler.ts');
process.stdout.write('ready\n');
await input.next();
const started = performance.now();
const images = await run();
process.stdout.write(`${JSON.stringify({ images, seconds: (performance.now() - started) / 1_000 })}\n`);
process.exit();

async function run(): Promise<number> {
  let images = 0;
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: settings.queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return images;
    const { batchItemFailures } = await handler({ Records: Messages.map(toRecord) }, context());
    if (batchItemFailures.length > 0) throw new Error(`expected no message to fail, ${batchItemFailures.length} did`);
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: settings.queue, Entries }));
    for (const { Body = '' } of Messages) images += imagesIn(Body);
  }
}

function toRecord({ Body = '', ReceiptHandle = '' }: Message): SQSRecord {
  return { ...sqsRecord(Body), receiptHandle: ReceiptHandle };
}

function imagesIn(body: string): number {
  const message = parseMessage(body);
  return 'images' in message ? message.images.length : 0;
}

function context(): Context {
  const deadline = Date.now() + FUNCTION_TIMEOUT_SECONDS * 1_000;
  return { functionName: 'bench', getRemainingTimeInMillis: () => deadline - Date.now() } as Context;
}
