import type { JobDescription } from '../../shared/contract/job-description.ts';
import { FINAL, type JobStatus } from '../../shared/jobs/job-status.ts';
import type { JobRow } from '../contract/jobs.ts';
import { displayText } from './display-text.ts';

/** The input for a row. */
export type RowInput = {
  status: JobStatus;
  description: JobDescription | undefined;
  /** When its last part file was written. */
  lastOutcomeAt: number | null;
};

/** A row of the table of jobs: the figures of `status`, with their units in their names. */
export function jobRow({ status, description, lastOutcomeAt }: RowInput): JobRow {
  const { job, run, state, queue, remaining } = status;
  const isIdle = queue.retrying > 0 && queue.waiting === 0 && queue.inFlight === 0;
  return {
    job,
    run: run ?? null,
    state,
    hasEnded: FINAL.has(state) || state === 'failed while enqueuing',
    sourceImages: description?.images ?? null,
    enqueuedImages: status.enqueued ?? null,
    classifiedImages: status.classified,
    failedImages: status.failed,
    failedImagesByCode: Object.entries(status.failedByCode)
      .map(([code, images]) => ({ code, images }))
      .sort((one, other) => other.images - one.images),
    remainingImages: remaining ?? null,
    countsAreEstimates: status.countsAreEstimates,
    imagesPerSecond: status.imagesPerSecond,
    secondsLeft: status.secondsLeft ?? null,
    waitsForRetries: state === 'running' && (remaining ?? 0) > 0 && isIdle,
    costSoFarUsd: status.costSoFarUsd,
    startedAt: description === undefined ? null : Date.parse(description.startedAt),
    lastOutcomeAt,
    source: description === undefined ? null : displayText(description.source),
  };
}

/** The last known activity of a job. */
export function activeAt({ lastOutcomeAt, startedAt }: JobRow): number {
  return Math.max(lastOutcomeAt ?? 0, startedAt ?? 0);
}
