import { FINAL, type JobStatus } from '../../shared/jobs/job-status.ts';
import type { QueueFigures } from '../contract/queue.ts';
import type { Facts } from './insight.ts';
import type { LastMinute } from './last-minute.ts';
import type { WatchedJob } from './watched-job.ts';

export type FiguresInput = {
  /** Undefined before SQS has answered. */
  depths: JobStatus['queue'] | undefined;
  askedAt: number | null;
  facts: Facts;
  minute: LastMinute;
  jobs: readonly WatchedJob[];
};

/** The figures of the queue and of all jobs together. */
export function queueFigures({ depths, askedAt, facts, minute, jobs }: FiguresInput): QueueFigures {
  const statuses = jobs.flatMap(({ status }) => status ?? []);
  const sum = (figure: (status: JobStatus) => number) => statuses.reduce((total, status) => total + figure(status), 0);
  // Remaining images of a cancelled job are dropped.
  const remaining = sum(({ state, remaining = 0 }) => (FINAL.has(state) ? 0 : remaining));
  const rate = sum(({ imagesPerSecond }) => imagesPerSecond);
  return {
    askedAt,
    waitingMessages: depths?.waiting ?? null,
    inFlightMessages: depths?.inFlight ?? null,
    delayedMessages: depths?.retrying ?? null,
    deadMessages: depths?.deadLetters ?? null,
    oldestMessageAgeSeconds: isEmpty(depths) ? null : facts.oldestMessageAgeSeconds,
    remainingImages: jobs.length > 0 && statuses.length === 0 ? null : remaining,
    arrivedImagesPerSecond: minute.arrivedImagesPerSecond,
    completedImagesPerSecond: rate,
    timeToDrainSeconds: timeToDrain(
      sum((status) => draining(status, depths)),
      rate,
    ),
    busyWorkers: minute.busyWorkers,
    workers: facts.workers,
    costSoFarUsd: sum(({ costSoFarUsd }) => costSoFarUsd),
    costPerHourUsd: minute.costPerHourUsd,
  };
}

/**
 * Images that workers will still get: without stranded images, and without those of a job whose producer failed while
 * there are no messages.
 */
function draining({ state, remaining = 0, stranded = 0 }: JobStatus, depths: JobStatus['queue'] | undefined): number {
  if (FINAL.has(state) || (state === 'failed while enqueuing' && isEmpty(depths))) return 0;
  return remaining - stranded;
}

function timeToDrain(images: number, imagesPerSecond: number): number | null {
  if (images === 0) return 0;
  return imagesPerSecond > 0 ? Math.ceil(images / imagesPerSecond) : null;
}

/** CloudWatch is some minutes late: a queue that is empty by now has no oldest message. */
function isEmpty(depths: JobStatus['queue'] | undefined): boolean {
  return depths !== undefined && depths.waiting + depths.inFlight + depths.retrying === 0;
}
