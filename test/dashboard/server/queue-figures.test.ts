import { describe, expect, test } from '@jest/globals';
import { NO_FACTS } from '../../../dashboard/server/insight.ts';
import { lastMinute } from '../../../dashboard/server/last-minute.ts';
import { queueFigures } from '../../../dashboard/server/queue-figures.ts';
import type { WatchedJob } from '../../../dashboard/server/watched-job.ts';
import type { JobStatus } from '../../../shared/jobs/job-status.ts';

const NOW = Date.UTC(2026, 10, 26, 12);
const EMPTY = { waiting: 0, inFlight: 0, retrying: 0, deadLetters: 3 };
const BUSY = { ...EMPTY, waiting: 50 };

/** A job as it was looked at; its files are not kept. */
function job(status: Partial<JobStatus>): WatchedJob {
  const known = { state: 'running', imagesPerSecond: 0, costSoFarUsd: 0, ...status };
  return { status: known, counted: [], files: undefined, description: undefined, row: undefined } as never;
}

function figures(depths: JobStatus['queue'], ...jobs: WatchedJob[]) {
  return queueFigures({ depths, askedAt: NOW, facts: NO_FACTS, minute: lastMinute(jobs, NOW), jobs });
}

describe('time to drain', () => {
  const moving = job({ toGo: 100, imagesPerSecond: 10 });

  test.each<[string, JobStatus['queue'], Partial<JobStatus>]>([
    ['are stranded', EMPTY, { toGo: 500, stranded: 500 }],
    ['remain of a job that is cancelled', BUSY, { state: 'cancelled', toGo: 500 }],
    ['remain of a job whose producer failed, without a message', EMPTY, { state: 'failed while enqueuing', toGo: 500 }],
  ])('leaves out images that %s', (_which, depths, status) => {
    expect(figures(depths, moving, job(status)).timeToDrainSeconds).toBe(10);
    expect(figures(depths, job(status)).timeToDrainSeconds).toBe(0);
  });

  test('counts what a producer had sent before it failed, as long as there are messages', () => {
    const failed = job({ state: 'failed while enqueuing', toGo: 500 });
    expect(figures(BUSY, moving, failed).timeToDrainSeconds).toBe(60);
  });
});

test('busy workers and cost per hour are unknown while a job runs whose files are not kept', () => {
  const unseen = figures(BUSY, job({ toGo: 1_000_000, imagesPerSecond: 100 }));
  expect(unseen).toMatchObject({ busyWorkers: null, costPerHourUsd: null });
  expect(figures(EMPTY, job({ toGo: 5 }))).toMatchObject({ busyWorkers: 0, costPerHourUsd: 0 });
});
