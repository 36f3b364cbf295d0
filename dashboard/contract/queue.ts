import type { EpochMs, Range } from './units.ts';

/** Figures of the queue, and of all jobs together. */
export type QueueFigures = {
  /** When SQS was asked; null when it never answered. Then the four counts are null, too. */
  askedAt: EpochMs | null;
  waitingMessages: number | null;
  inFlightMessages: number | null;
  /** Waiting for a retry. */
  delayedMessages: number | null;
  /** In the dead-letter queue. */
  deadMessages: number | null;
  /** Null if the queue's service does not report it. */
  oldestMessageAgeSeconds: number | null;
  /** Without an outcome, of all jobs that were enqueued with the command. */
  remainingImages: number | null;
  /** Mean of the last minute, of jobs that were enqueued with the command. */
  arrivedImagesPerSecond: number;
  /** Sum of the jobs' own rates, as `status` has them. */
  completedImagesPerSecond: number;
  /** At that rate; null without progress, 0 when workers will get no more images. */
  timeToDrainSeconds: number | null;
  /** Mean of the last minute, from the time that workers measured. Null when a running job has too many files. */
  busyWorkers: number | null;
  /** Number of workers; null if unknown. */
  workers: number | null;
  /** At list prices, of all jobs that have files. */
  costSoFarUsd: number;
  /** From the cost of the last minute; null when a running job has too many files. */
  costPerHourUsd: number | null;
};

/** Series for the charts of the overview. Each array has one value per bucket; null is unknown. */
export type History = {
  range: Range;
  fromAt: EpochMs;
  bucketSeconds: number;
  /** Start times of the buckets, at most 300. */
  bucketAt: EpochMs[];
  /** From CloudWatch on AWS, and from polls since the server started. */
  waitingMessages: (number | null)[];
  inFlightMessages: (number | null)[];
  delayedMessages: (number | null)[];
  deadMessages: (number | null)[];
  oldestMessageAgeSeconds: (number | null)[];
  /** From the names of part files, so also before the page was opened. */
  classifiedImagesPerSecond: number[];
  failedImagesPerSecond: number[];
  /** Totals of the bucket, the most frequent code first; at most 8 codes, then `other`. */
  failedImagesByCode: { code: string; images: number[] }[];
  /** From the descriptions of jobs, spread evenly over the time of enqueuing. */
  arrivedImagesPerSecond: number[];
  /** Enqueued and without an outcome at the end of the bucket. */
  remainingImages: number[];
  /** Start of the known message counts; null if unknown. */
  messagesKnownFromAt: EpochMs | null;
};

/** Times of a stage per image, over about the last hour. */
export type StageTime = {
  stage: 'fetch' | 'decode' | 'infer';
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Number of measured images; null if unknown. */
  measuredImages: number | null;
};
