import { expect, test } from '@jest/globals';
import type { LargeJob } from '../../testkit/large-job.ts';
import { startLargeJobs } from '../../testkit/large-jobs.ts';
import { runCommand } from '../support/command.ts';

const JOBS = 200;

function jobNamed(number: number): LargeJob {
  const run = String(number).padStart(16, '0');
  const counts = { results: 3, failures: 0, linesPerPart: 10, toGo: 0, isDescribed: true };
  return { job: `job-${String(number).padStart(3, '0')}`, run, ...counts };
}

test('200 jobs are listed with three requests each, many at once, despite high latency', async () => {
  const jobs = Array.from({ length: JOBS }, (_, number) => jobNamed(number));
  await using server = await startLargeJobs({ jobs, latencyMs: 80 });
  const { code, stdout } = await runCommand(['status', '--json'], { environment: server.environment });
  expect(code).toBe(0);
  const statuses: { job: string; state: string }[] = JSON.parse(stdout);
  expect(statuses.map(({ job, state }) => `${job} ${state}`)).toEqual(jobs.map(({ job }) => `${job} completed`));
  const { calls, listingsAtOnce } = await server.counts();
  // Names of jobs, those of other producers, and marks; the queues.
  expect(calls).toEqual({ GET: JOBS, LIST: 2 * JOBS + 4, GetQueueAttributes: 2 });
  expect(listingsAtOnce).toBeGreaterThanOrEqual(16);
});

test('a job that is too large to list beside others is shown with an estimate', async () => {
  const large: LargeJob = { ...jobNamed(1), results: 10_000_000, failures: 10_000 };
  await using server = await startLargeJobs({ jobs: [jobNamed(0), large], latencyMs: 1_000 });
  const { code, stdout } = await runCommand(['status'], { environment: server.environment });
  expect(code).toBe(0);
  expect(stdout).toMatch(/job-000\s+│ completed\s+│ 30\s+│ 30\s+│ 0\s+│ 0/);
  const classified = Number(/job-001\s+│ running\s+│ 100100000\s+│ ~(\d+)/.exec(stdout)?.[1]);
  expect(Math.abs(classified / 100_000_000 - 1)).toBeLessThan(0.1);
}, 60_000);
