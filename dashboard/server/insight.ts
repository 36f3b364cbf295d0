import type { Alarm } from '../contract/health.ts';
import type { StageTime } from '../contract/queue.ts';
import type { Buckets } from './buckets.ts';
import type { MessageSample } from './message-samples.ts';

/** Facts that only the service behind the queue knows. */
export type Facts = {
  oldestMessageAgeSeconds: number | null;
  /** Number of worker processes; null if unknown. */
  workers: number | null;
  stages: StageTime[];
  /** Null where there are none. */
  alarms: Alarm[] | null;
};

export const NO_FACTS: Facts = { oldestMessageAgeSeconds: null, workers: null, stages: [], alarms: null };

/** The source of such facts: CloudWatch for a stack, the process itself for the service on this machine. */
export type Insight = {
  /** Called at each poll; may return a cached answer. Rejects when the source is unreachable. */
  facts(now: number): Promise<Facts>;
  /** Samples of the queue from before this process started. */
  history?(buckets: Buckets): Promise<MessageSample[]>;
};
