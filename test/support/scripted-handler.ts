/**
 * A handler that does what the bodies of its messages say, and logs one line per invocation:
 * - `fail ...`: names the message in `batchItemFailures`
 * - `slow ...`: takes 200 ms
 * - `takes 1500 ...`: takes that many milliseconds
 * - `throw`, `exit`, `hang`: the invocation throws, ends the process, or never ends
 * - anything else succeeds
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';

export type InvocationLog = {
  pid: number;
  requestId: string;
  bodies: string[];
  receiveCounts: string[];
  remainingMs: number;
  /** A variable of the function's environment. */
  greeting: string | undefined;
  /** Epoch milliseconds. */
  from: number;
  to: number;
};

export async function handler({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const from = Date.now();
  const remainingMs = context.getRemainingTimeInMillis();
  const asked = (what: string) => Records.some(({ body }) => body.startsWith(what));
  if (asked('slow')) await delay(200);
  const longest = Math.max(0, ...Records.map(({ body }) => Number(/^takes (\d+)/.exec(body)?.[1] ?? 0)));
  if (longest > 0) await delay(longest);
  const log: InvocationLog = {
    pid: process.pid,
    requestId: context.awsRequestId,
    bodies: Records.map(({ body }) => body),
    receiveCounts: Records.map(({ attributes }) => attributes.ApproximateReceiveCount),
    remainingMs,
    greeting: process.env['GREETING'],
    from,
    to: Date.now(),
  };
  process.stdout.write(`${JSON.stringify(log)}\n`);
  if (asked('throw')) throw new Error('thrown as asked');
  if (asked('exit')) process.exit(3);
  if (asked('hang')) await new Promise(() => {});
  const failed = Records.filter(({ body }) => body.startsWith('fail'));
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
