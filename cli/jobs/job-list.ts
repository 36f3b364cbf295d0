import pMap from 'p-map';
import { type JobStatus, jobStatus, queueDepths } from '../../shared/jobs/job-status.ts';
import { cancellations, listJobs } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { compactTable } from '../terminal/compact-table.ts';
import { countText } from './count-text.ts';

/** For all jobs together; a job that takes longer is listed as running, until its own status is requested. */
const COUNT_ALL_MS = 10_000;
/** Each usually has two requests in flight, and the SDK has 50 connections. */
const JOBS_AT_ONCE = 24;

/** A table of all jobs with a row per job, or with `json` an array of their statuses on one line. */
export async function jobList(target: JobTarget, json: boolean): Promise<string> {
  const statuses = await allStatuses(target);
  if (json) return `${JSON.stringify(statuses)}\n`;
  if (statuses.length === 0) return 'no jobs yet: create one with labelqueue enqueue\n';
  const head = ['job', 'state', 'enqueued', 'classified', 'failed', 'remaining'];
  const table = compactTable(head);
  for (const status of statuses) {
    const { job, state, enqueued, classified, failed, remaining } = status;
    const counts = [classified, failed, remaining].map((count) =>
      count === undefined ? '-' : countText(status, count),
    );
    table.push([job, state, enqueued ?? '-', ...counts]);
  }
  return `${table.toString()}\n`;
}

/** In the order of job names. Requests that are the same for all jobs are sent once. */
async function allStatuses(target: JobTarget): Promise<JobStatus[]> {
  const signal = AbortSignal.timeout(COUNT_ALL_MS);
  const queue = queueDepths(target);
  queue.catch(() => undefined);
  const [jobs, cancelled] = await Promise.all([listJobs(target), cancellations(target)]);
  const statusOf = (job: string) => jobStatus(target, job, new Date(), { signal, queue, cancelled });
  const statuses = await pMap(jobs, statusOf, { concurrency: JOBS_AT_ONCE });
  return statuses.filter((status) => status !== undefined);
}
