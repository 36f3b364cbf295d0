import type { JobStatus } from '../../shared/jobs/job-status.ts';

/** A count of a job, marked `~` where it is an estimate. */
export function countText({ countsAreEstimates }: JobStatus, count: number): string {
  return countsAreEstimates ? `~${count}` : String(count);
}
