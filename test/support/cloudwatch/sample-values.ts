import type { Series } from './metric-math.ts';

/** What a picture of a dashboard shows: three hours. */
export const MINUTES = 180;

const FAILURE_CODES = { not_found: 5, timeout: 3, not_an_image: 1 };
/** Dimensions that a search for failed images finds. */
export const SAMPLE_CODES = Object.keys(FAILURE_CODES);

/** A job that is sent from the 20th minute to the 50th and done in the 150th; the same each time. */
function backlog(minute: number): number {
  if (minute < 20) return 0;
  const sent = 20 * Math.min(30, minute - 20);
  return Math.max(0, sent - doneUntil(minute));
}

function doneUntil(minute: number): number {
  return minute < 25 ? 0 : Math.min(600, 5 * (minute - 25) * (1 + 0.1 * Math.sin(minute / 7)));
}

function done(minute: number): number {
  return Math.max(0, doneUntil(minute) - doneUntil(minute - 1));
}

type Sample = (minute: number, statistic: string) => number;

const isBusy = (minute: number) => backlog(minute) > 0;
const wobble = (minute: number) => 1 + 0.2 * Math.sin(minute / 3) + 0.1 * Math.sin(minute * 1.7);
const time = (milliseconds: number): Sample => {
  const factor: Record<string, number> = { p50: 1, p95: 3, Maximum: 5 };
  return (minute, statistic) =>
    isBusy(minute) ? milliseconds * wobble(minute) * (factor[statistic] ?? 1) : Number.NaN;
};

const SAMPLES: Record<string, Sample> = {
  ApproximateNumberOfMessagesVisible: (minute) => Math.max(0, backlog(minute) - 30),
  DeadLetters: (minute) => 3 + 6 * doneUntil(minute),
  ApproximateNumberOfMessagesNotVisible: (minute) => Math.min(30, backlog(minute)),
  ApproximateNumberOfMessagesDelayed: (minute) => Math.min(8, backlog(minute) / 20),
  ApproximateAgeOfOldestMessage: (minute) => (isBusy(minute) ? Math.max(10, (minute - 25) * 40) : 0),
  NumberOfMessagesSent: (minute) => (minute >= 20 && minute < 50 ? 20 : isBusy(minute) ? 0.4 : 0),
  NumberOfMessagesDeleted: done,
  ImagesClassified: (minute) => 92 * done(minute),
  ImagesFailed: (minute) => 6 * done(minute),
  ImagesRetried: (minute) => 9 * done(minute) * wobble(minute),
  ImagesNotReached: (minute) => (minute > 60 && minute < 80 ? 40 : Number.NaN),
  MessagesUnreadable: (minute) => (minute === 42 ? 2 : Number.NaN),
  MessagesUnsettled: (minute) => (minute === 90 ? 1 : Number.NaN),
  FetchTime: time(240),
  DecodeTime: time(6),
  InferenceTime: time(130),
  InferenceBatchSize: (minute) => (isBusy(minute) ? 6.5 * wobble(minute) : Number.NaN),
  Duration: (minute, statistic) => (statistic === 'Sum' ? 45_000 * done(minute) : time(21_000)(minute, statistic)),
  Invocations: (minute) => done(minute) / 4,
  ConcurrentExecutions: (minute) => (isBusy(minute) ? 8 * Math.min(1, (minute - 19) / 6) : 0),
  ColdStart: (minute) => (minute > 20 && minute < 27 ? 2 : Number.NaN),
  Errors: (minute) => (minute === 70 ? 1 : 0),
  Throttles: () => 0,
  Count: (minute) => 12 * wobble(minute),
  '4xx': (minute) => wobble(minute),
  '5xx': (minute) => (minute % 37 === 0 ? 1 : 0),
  Latency: (minute, statistic) => (statistic === 'p95' ? 1_900 : 420) * wobble(minute),
};

/** Values of a metric for a picture, in periods of so many seconds. */
export function sampleValues(name: string, statistic: string, period: number): Series {
  const sample = SAMPLES[name] ?? (() => Number.NaN);
  const length = period / 60;
  const values = new Map<number, number>();
  for (let start = 0; start < MINUTES; start += length) {
    const minutes = Array.from({ length }, (_, index) => sample(start + index, statistic)).filter(Number.isFinite);
    if (minutes.length === 0) continue;
    const sum = minutes.reduce((one, other) => one + other, 0);
    values.set(start * 60, statistic === 'Sum' ? sum : sum / minutes.length);
  }
  return values;
}

/** The part of the failed images that has a code. */
export function shareOf(code: string): number {
  const shares = new Map(Object.entries(FAILURE_CODES));
  return (shares.get(code) ?? 0) / [...shares.values()].reduce((sum, share) => sum + share, 0);
}
