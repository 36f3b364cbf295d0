import { DEADLINE_RESERVE_MS, FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { ASSUMPTIONS } from './assumptions.ts';

export type OnDemandPollers = { kind: 'on demand'; maximumConcurrency: number };
export type ProvisionedPollers = { kind: 'provisioned'; minimum: number; maximum: number };

/** A job, and the stage that it runs on. */
export type Scenario = {
  images: number;
  imagesPerMessage: number;
  bytesPerMessage: number;
  /** Images a second that are sent; without it, all messages are there at the start. */
  enqueuedPerSecond?: number;
  /** Messages an invocation at most. */
  batchSize: number;
  batchWindowSeconds: number;
  pollers: OnDemandPollers | ProvisionedPollers;
  accountConcurrency: number;
  secondsPerImage: number;
  /** What the first invocation of an environment takes longer. */
  coldStartSeconds: number;
};

/** What keeps a job from going faster. */
export type Bound =
  | 'scaling up'
  | 'maximum concurrency'
  | 'concurrency of the pollers'
  | 'concurrency of an event source'
  | "the account's concurrency"
  | 'new environments'
  | 'messages in flight'
  | 'throughput of the pollers'
  | 'S3 writes'
  | 'enqueueing'
  | 'the batching window'
  | 'the last invocations';

/** Messages a full batch has: as many as are asked for and as the payload takes. */
export function fullBatch({ batchSize, bytesPerMessage }: Scenario): number {
  return Math.max(1, Math.min(batchSize, Math.floor(ASSUMPTIONS.payloadBytes.value / bytesPerMessage)));
}

/** The concurrency that pollers start with, what they gain a second, and where each limit of it is. */
export function concurrencyOf({ pollers, accountConcurrency }: Scenario) {
  const account = { bound: "the account's concurrency" as Bound, most: accountConcurrency };
  if (pollers.kind === 'on demand') {
    const caps = [
      account,
      { bound: 'maximum concurrency' as Bound, most: pollers.maximumConcurrency },
      { bound: 'concurrency of an event source' as Bound, most: ASSUMPTIONS.eventSourceConcurrency.value },
    ];
    return {
      start: ASSUMPTIONS.startConcurrency.value,
      perSecond: ASSUMPTIONS.concurrencyPerMinute.value / 60,
      cap: smallest(caps),
    };
  }
  const perPoller = ASSUMPTIONS.concurrencyPerPoller.value;
  return {
    start: pollers.minimum * perPoller,
    perSecond: ASSUMPTIONS.provisionedConcurrencyPerMinute.value / 60,
    cap: smallest([account, { bound: 'concurrency of the pollers', most: pollers.maximum * perPoller }]),
  };
}

type Cap = { bound: Bound; most: number };

function smallest(caps: readonly Cap[]): Cap {
  return caps.reduce((least, cap) => (cap.most < least.most ? cap : least));
}

/**
 * @throws {RangeError} when a worker would not be done with a full batch before its deadline: it sends the images
 * that it did not reach as new messages, which the simulation does not know
 */
export function assertBatchFitsInvocation(scenario: Scenario): void {
  const images = fullBatch(scenario) * scenario.imagesPerMessage;
  const seconds = images * scenario.secondsPerImage + scenario.coldStartSeconds;
  const most = FUNCTION_TIMEOUT_SECONDS - DEADLINE_RESERVE_MS / 1_000;
  if (seconds > most) {
    throw new RangeError(
      `expected a batch to take at most ${most} s, one of ${images} images takes ${seconds.toFixed(0)} s: lower batchSize or imagesPerMessage`,
    );
  }
}
