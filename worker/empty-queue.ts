import { setTimeout as delay } from 'node:timers/promises';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { queueCounts } from '../shared/jobs/queue-counts.ts';

const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** When a queue counts as empty. */
export type EmptyQueueOptions = {
  sqs: SQSClient;
  queueUrl: string;
  /** How long it must have been empty: the counts of SQS are accurate a minute after the last change. */
  seconds: number;
  /** Whether this process holds messages. */
  isBusy: () => boolean;
  signal: AbortSignal;
};

/** Resolves when the queue has been empty for `seconds`: nothing waiting, delayed or in flight anywhere. Never after the signal. */
export async function untilEmpty({ sqs, queueUrl, seconds, isBusy, signal }: EmptyQueueOptions): Promise<void> {
  const pause = Math.max(SHORTEST_PAUSE_MS, Math.min(LONGEST_PAUSE_MS, seconds * 250));
  let emptySince: number | undefined;
  while (!signal.aborted) {
    const isEmpty = !isBusy() && (await messagesIn(sqs, queueUrl)) === 0 && !isBusy();
    emptySince = isEmpty ? (emptySince ?? performance.now()) : undefined;
    if (emptySince !== undefined && performance.now() - emptySince >= seconds * 1_000) return;
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
  return new Promise(() => {});
}

/**
 * All three counts: a retry is delayed, and a message of another worker is in flight.
 *
 * @returns undefined when SQS does not respond: the polling loop reports that
 */
async function messagesIn(sqs: SQSClient, queueUrl: string): Promise<number | undefined> {
  try {
    const { waiting, inFlight, delayed } = await queueCounts(sqs, queueUrl);
    return waiting + inFlight + delayed;
  } catch {
    return undefined;
  }
}
