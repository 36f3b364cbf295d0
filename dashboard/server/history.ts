import type { JobDescription } from '../../shared/contract/job-description.ts';
import type { JobSeries } from '../contract/jobs.ts';
import type { History } from '../contract/queue.ts';
import type { Range } from '../contract/units.ts';
import { type Buckets, beginnings, bucketAt, bucketsBetween, bucketsOf, perSecond } from './buckets.ts';
import { type MessageSample, SAMPLED } from './message-samples.ts';
import { addParts, emptySeries, runningTotals, type SettledSeries, zeros } from './settled-series.ts';
import type { WatchedJob } from './watched-job.ts';

const MAX_CODES = 8;

export type HistoryInput = {
  range: Range;
  now: number;
  jobs: readonly WatchedJob[];
  /** In the order of their times; of several in one bucket, the latest is shown. */
  samples: readonly MessageSample[];
};

/** The series of the overview: images from the names of part files and the descriptions of jobs, messages from samples. */
export function historyOf({ range, now, jobs, samples }: HistoryInput): History {
  const buckets = bucketsOf(range, now);
  const settled = emptySeries(buckets);
  const arrived = zeros(buckets.count);
  const remaining = zeros(buckets.count);
  for (const job of jobs) addJob(job, { buckets, settled, arrived, remaining });
  return {
    range,
    fromAt: buckets.fromAt,
    bucketSeconds: buckets.bucketMs / 1_000,
    bucketAt: beginnings(buckets),
    ...messageSeries(samples, buckets),
    classifiedImagesPerSecond: perSecond(buckets, settled.classified),
    failedImagesPerSecond: perSecond(buckets, settled.failed),
    failedImagesByCode: mostFrequent(settled),
    arrivedImagesPerSecond: perSecond(buckets, arrived),
    remainingImages: remaining.map(Math.round),
  };
}

type Totals = { buckets: Buckets; settled: SettledSeries; arrived: number[]; remaining: number[] };

function addJob(
  { counted, files, description, row }: WatchedJob,
  { buckets, settled, arrived, remaining }: Totals,
): void {
  const ofJob = emptySeries(buckets);
  addParts(ofJob, counted, buckets);
  addSeries(settled, ofJob);
  if (description === undefined || row === undefined) return;
  if (files === undefined) {
    // The history is unknown, but the remaining images now are known.
    if (!row.hasEnded) remaining[buckets.count - 1] = (remaining.at(-1) ?? 0) + (row.remainingImages ?? 0);
    return;
  }
  const arrivals = arrivalsOf(description, buckets);
  add(arrived, arrivals.perBucket);
  const arrivedUntil = runningTotals(arrivals.perBucket, arrivals.before);
  const settledUntil = runningTotals(
    ofJob.classified.map((classified, index) => classified + (ofJob.failed[index] ?? 0)),
    ofJob.settledBefore,
  );
  // A cancelled job gets no more outcomes.
  const lastBucket = row.state === 'cancelled' ? bucketAt(buckets, row.lastOutcomeAt ?? 0) : buckets.count;
  const left = arrivedUntil.map((images, index) => Math.max(0, images - (settledUntil[index] ?? 0)));
  add(
    remaining,
    left.map((images, index) => (index < lastBucket ? images : 0)),
  );
}

function addSeries(sums: SettledSeries, { classified, failed, failedByCode, settledBefore }: SettledSeries): void {
  add(sums.classified, classified);
  add(sums.failed, failed);
  sums.settledBefore += settledBefore;
  for (const [code, images] of failedByCode) {
    const sum = sums.failedByCode.get(code) ?? zeros(images.length);
    add(sum, images);
    sums.failedByCode.set(code, sum);
  }
}

function add(sums: number[], values: readonly number[]): void {
  for (const [index, value] of values.entries()) sums[index] = (sums[index] ?? 0) + value;
}

/**
 * When a job's images were enqueued: exact times are not recorded, so they are spread evenly over the time of
 * enqueuing.
 */
export function arrivalsOf(
  { sent, startedAt, updatedAt }: Pick<JobDescription, 'sent' | 'startedAt' | 'updatedAt'>,
  { fromAt, bucketMs, count }: Buckets,
): { before: number; perBucket: number[] } {
  const [start, end] = [Date.parse(startedAt), Math.max(Date.parse(updatedAt), Date.parse(startedAt) + 1)];
  const between = (from: number, to: number) =>
    (sent * Math.max(0, Math.min(to, end) - Math.max(from, start))) / (end - start);
  return {
    before: between(Number.NEGATIVE_INFINITY, fromAt),
    perBucket: Array.from({ length: count }, (_, index) =>
      between(fromAt + index * bucketMs, fromAt + (index + 1) * bucketMs),
    ),
  };
}

function messageSeries(samples: readonly MessageSample[], buckets: Buckets) {
  const series = Object.fromEntries(
    SAMPLED.map((name) => [name, new Array<number | null>(buckets.count).fill(null)]),
  ) as Record<(typeof SAMPLED)[number], (number | null)[]>;
  let messagesKnownFromAt: number | null = null;
  for (const sample of samples) {
    const bucket = bucketAt(buckets, sample.at);
    if (bucket < 0 || bucket >= buckets.count) continue;
    messagesKnownFromAt ??= sample.at;
    for (const name of SAMPLED) series[name][bucket] = sample[name] ?? series[name][bucket] ?? null;
  }
  return {
    waitingMessages: series.waiting,
    inFlightMessages: series.inFlight,
    delayedMessages: series.delayed,
    deadMessages: series.dead,
    oldestMessageAgeSeconds: series.ageSeconds,
    messagesKnownFromAt,
  };
}

/** The rest is summed up as `other`. */
function mostFrequent({ failedByCode }: SettledSeries): History['failedImagesByCode'] {
  const total = (images: readonly number[]) => images.reduce((sum, count) => sum + count, 0);
  const codes = Array.from(failedByCode, ([code, images]) => ({ code, images }));
  codes.sort((one, other) => total(other.images) - total(one.images));
  const [first = [], rest = []] = [codes.slice(0, MAX_CODES), codes.slice(MAX_CODES)];
  if (rest.length === 0) return first;
  const other = zeros(rest[0]?.images.length ?? 0);
  for (const { images } of rest) add(other, images);
  return [...first, { code: 'other', images: other }];
}

/** The series of a job, from its first outcome to its last. */
export function jobSeries({ counted, description }: WatchedJob, now: number): JobSeries {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const { part } of counted) {
    const at = part.writtenAt.getTime();
    first = Math.min(first, at);
    last = Math.max(last, at);
  }
  if (last === 0) {
    return {
      bucketSeconds: 1,
      bucketAt: [],
      classifiedImagesPerSecond: [],
      failedImagesPerSecond: [],
      settledImages: [],
    };
  }
  const begin = description === undefined ? first : Math.min(first, Date.parse(description.startedAt));
  const buckets = bucketsBetween(begin, last, now);
  const series = emptySeries(buckets);
  addParts(series, counted, buckets);
  const { classified, failed } = series;
  return {
    bucketSeconds: buckets.bucketMs / 1_000,
    bucketAt: beginnings(buckets),
    classifiedImagesPerSecond: perSecond(buckets, classified),
    failedImagesPerSecond: perSecond(buckets, failed),
    settledImages: runningTotals(classified.map((images, index) => images + (failed[index] ?? 0))),
  };
}
