import type { Alarm, StageTime } from '../contract.ts';
import type { Buckets } from './buckets.ts';
import type { MessageSample } from './message-samples.ts';

/** What only the service that a queue is part of can say. */
export type Facts = {
  oldestMessageAgeSeconds: number | null;
  /** Worker processes; null when it is not known. */
  workers: number | null;
  stages: StageTime[];
  /** Null where there are none. */
  alarms: Alarm[] | null;
};

export const NO_FACTS: Facts = { oldestMessageAgeSeconds: null, workers: null, stages: [], alarms: null };

/** Where such facts come from: CloudWatch for a stack, the process itself for the service on this machine. */
export type Insight = {
  /** Asked at each look; an answer may be as old as its source makes it worth. Rejects when the source is away. */
  facts(now: number): Promise<Facts>;
  /** What is remembered of the queue's messages from before this process began to look. */
  history?(buckets: Buckets): Promise<MessageSample[]>;
};
