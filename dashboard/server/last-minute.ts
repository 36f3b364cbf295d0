import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { costSoFar } from '../../shared/cost.ts';
import { MeasuredTime } from '../../shared/jobs/measured-time.ts';
import { arrivalsOf } from './history.ts';
import type { WatchedJob } from './watched-job.ts';

const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;

/** Activity in the last minute, of all jobs together. */
export type LastMinute = {
  arrivedImagesPerSecond: number;
  /** Average number of busy workers; null if the files of that time are unknown or have no times. */
  busyWorkers: number | null;
  /** Null if the files of that time are unknown. */
  costPerHourUsd: number | null;
  /** Of all jobs, of the last 15 minutes. */
  recentlyClassified: number;
  recentlyFailed: number;
};

const RECENT_MS = 15 * MINUTE_MS;

/** From the names of part files, which contain the workers' time, and from descriptions of jobs. */
export function lastMinute(jobs: readonly WatchedJob[], now: number): LastMinute {
  const sums = { arrived: 0, workedMs: 0, lines: 0, measured: 0, classified: 0, failed: 0, time: new MeasuredTime() };
  for (const job of jobs) {
    if ((job.row?.lastOutcomeAt ?? 0) > now - RECENT_MS) addFiles(sums, job, now);
    if (job.description !== undefined) {
      const minute = { fromAt: now - MINUTE_MS, toAt: now, bucketMs: MINUTE_MS, now, count: 1 };
      sums.arrived += arrivalsOf(job.description, minute).perBucket[0] ?? 0;
    }
  }
  const { totalUsd } = costSoFar(sums.lines, DEFAULT_IMAGES_PER_MESSAGE, sums.time.cost());
  const isKnown = !jobs.some(movesUnseen);
  const isMeasured = sums.lines === 0 || sums.measured > 0;
  return {
    arrivedImagesPerSecond: (sums.arrived * 1_000) / MINUTE_MS,
    busyWorkers: isKnown && isMeasured ? sums.workedMs / MINUTE_MS : null,
    costPerHourUsd: isKnown ? totalUsd * HOUR_MINUTES : null,
    recentlyClassified: sums.classified,
    recentlyFailed: sums.failed,
  };
}

/** Whether a running job has too many files to track. */
function movesUnseen({ files, status }: WatchedJob): boolean {
  return files === undefined && (status?.imagesPerSecond ?? 0) > 0;
}

type Sums = {
  arrived: number;
  workedMs: number;
  lines: number;
  measured: number;
  classified: number;
  failed: number;
  time: MeasuredTime;
};

function addFiles(sums: Sums, { counted, files }: WatchedJob, now: number): void {
  for (const { kind, part } of counted) {
    if (part.writtenAt.getTime() <= now - RECENT_MS) continue;
    sums[kind === 'results' ? 'classified' : 'failed'] += part.lines;
  }
  // Work that was done twice costs twice.
  for (const { writtenAt, lines, time } of files?.reached() ?? []) {
    if (writtenAt.getTime() <= now - MINUTE_MS) continue;
    sums.lines += lines;
    if (time === undefined) continue;
    sums.measured += lines;
    sums.workedMs += time.milliseconds;
    sums.time.add({ lines, time });
  }
}
