/**
 * The outcomes of an image, as `labelqueue_images_total` counts it. `retried` counts attempts, and `sent_on` deliveries
 * without one: such an image gets its outcome later.
 */
export type ImageOutcome = 'classified' | 'failed' | 'retried' | 'sent_on' | 'cancelled';

/** The outcomes of a message, as `labelqueue_messages_total` counts it. */
export const MESSAGE_OUTCOMES = ['settled', 'malformed', 'unsettled'] as const;
/** `unsettled`: its outcomes could not be written, so SQS redelivers it. */
export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];

/** The states of messages in SQS; `dead` are those in the dead-letter queue. */
export const QUEUE_STATES = ['waiting', 'in_flight', 'delayed', 'dead'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** The timed stages of an image. Inference is timed per batch. */
export const TIMED_STAGES = ['fetch', 'decode', 'inference'] as const;
export type TimedStage = (typeof TIMED_STAGES)[number];

/** Images with an outcome so far. Exact, because estimates go up and down. */
export type ImageTotal = {
  outcome: ImageOutcome;
  /** Of `failed` and `retried`. Codes that are not in `ERROR_CODES` are counted as `other`. */
  code?: string;
  total: number;
};

/** Images of one job, newest run. */
export type JobReading = { job: string; classified: number; failed: number; remaining?: number };

/**
 * The known values at a scrape; unknown ones are missing. Totals may be counted since the process started or read from
 * S3 each time: see `MonotonicTotals`.
 */
export type MetricsReading = {
  /** Messages, by state; missing while SQS does not answer. */
  queue?: Record<QueueState, number>;
  /** Of the queue; SQS itself does not report it, CloudWatch and the local service do. 0 for an empty queue. */
  oldestMessageAgeSeconds?: number;
  images?: readonly ImageTotal[];
  messages?: Readonly<Record<MessageOutcome, number>>;
  /** Invocations that ended without a response: the worker crashed, threw or timed out. */
  workerErrors?: number;
  /** At list prices, in US dollars. */
  costUsd?: number;
  /** Newest first; only the first few are used. */
  jobs?: readonly JobReading[];
};

/** A worker that has reported its processor and model. */
export type WorkerFacts = { processor: string; model: string };
