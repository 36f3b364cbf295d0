import type { DeadLetters } from '../../../dashboard/contract/dead-letters.ts';
import type { JobDetail, JobRow } from '../../../dashboard/contract/jobs.ts';
import { ERROR_CODES } from '../../../shared/contract/error-codes.ts';
import { busyQueue, history, jobDetail, jobRow, letters, snapshot } from './fixture-figures.ts';
import type { Shown } from './fixture-server.ts';

const MINUTE_MS = 60_000;
/** Of the longest name that a job may have. */
export const LONG_JOB = 'catalogue-'.repeat(10);
/** 200 characters: right to left, an override, emoji of several code points, some without width, and no place to break. */
const LONG_TEXT =
  `\u05E9\u05DC\u05D5\u05DD-\u202E\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u200B\u200B${'x'.repeat(200)}`.slice(0, 200);
const LONG_HOST = `${'very-long-host-name.'.repeat(9)}example.com`;
const LONG_URL = `https://${LONG_HOST}/${'a'.repeat(120)}/\u{1F9E8}\u05E9\u05DC\u05D5\u05DD.jpg`;
const KNOWN_CODES = Object.keys(ERROR_CODES);
/** More than there are now. */
const CODES = Array.from({ length: 40 }, (_, index) => ({
  code: KNOWN_CODES[index] ?? `code_number_${index}_of_a_later_version`,
  images: 4_000 - index * 97,
}));
const STATES = ['running', 'completed', 'completed with failures', 'cancelled', 'failed while enqueuing'] as const;

/** Jobs in all states; those of 500 are in `many-jobs.test.ts`. */
export function manyJobs(): Shown {
  const jobs = Array.from({ length: 100 }, (_, index) => {
    const state = STATES[index % STATES.length] ?? 'running';
    const hasEnded = state.startsWith('completed') || state === 'cancelled';
    const codes = CODES.slice(0, index % CODES.length);
    const failedImages = codes.reduce((sum, { images }) => sum + images, 0);
    const job = index === 0 ? LONG_JOB : `batch-${index}`;
    return jobRow(job, { state, hasEnded, failedImages, failedImagesByCode: codes });
  });
  const details = new Map(jobs.slice(0, 1).map((row) => [row.job, jobDetail(row)]));
  return { ...busyQueue(), snapshot: snapshot({ jobs, moreJobs: 37 }), details };
}

/** Every text of others as long and as strange as it can be, and 40 error codes. */
export function hostileTexts(): Shown {
  const row = jobRow(LONG_JOB, {
    ...{ state: 'completed with failures', hasEnded: true, source: LONG_URL },
    ...{ failedImages: 80_000, failedImagesByCode: CODES },
  });
  return {
    ...busyQueue(),
    snapshot: snapshot({
      jobs: [row, jobRow('short', { source: LONG_TEXT })],
      environment: {
        kind: 'prod',
        name: `labelqueue-prod-${'x'.repeat(112)}`,
        region: 'ap-southeast-1',
        endpoint: null,
      },
      problems: [
        {
          ...{ kind: 'alarm', severity: 'critical', title: LONG_TEXT, detail: LONG_URL },
          ...{ sinceAt: Date.now() - MINUTE_MS, runbookEntry: 'api-latency', job: LONG_JOB },
        },
      ],
      alarms: [
        { name: LONG_TEXT, state: 'ALARM', reason: LONG_TEXT, sinceAt: Date.now(), runbookEntry: 'api-latency' },
      ],
    }),
    details: new Map([[LONG_JOB, hostileDetail(row)]]),
    letters: hostileLetters(),
  };
}

function hostileDetail(row: JobRow): JobDetail {
  const detail = jobDetail(row);
  if (detail.content === null) return detail;
  const [host] = detail.content.hosts;
  const content = {
    ...detail.content,
    labels: [{ label: LONG_TEXT, images: 3, meanScore: 0.5 }, ...detail.content.labels],
    hosts: [...(host === undefined ? [] : [{ ...host, host: LONG_HOST }]), ...detail.content.hosts],
    models: [{ name: LONG_TEXT, version: LONG_TEXT, images: 3 }],
  };
  return { ...detail, content };
}

function hostileLetters(): DeadLetters {
  const usual = letters();
  const image = { url: LONG_URL, host: LONG_HOST, message: LONG_TEXT };
  return {
    ...usual,
    letters: usual.letters.map((letter, index) => ({
      ...letter,
      job: letter.job && LONG_JOB,
      images: letter.images.map((one) => ({ ...one, ...image, id: index % 2 === 0 ? LONG_TEXT : LONG_URL })),
    })),
    jobs: [{ name: LONG_JOB, messages: 9 }],
    codes: CODES.map(({ code, images }) => ({ name: code, messages: images })),
    hosts: [{ name: LONG_HOST, messages: 9 }],
  };
}

/** Nothing was ever enqueued. */
export function emptyQueue(): Shown {
  const { queue } = snapshot();
  const none = (values: readonly unknown[]) => values.map(() => 0);
  const counts = { waitingMessages: 0, inFlightMessages: 0, delayedMessages: 0, deadMessages: 0, remainingImages: 0 };
  const rates = {
    completedImagesPerSecond: 0,
    timeToDrainSeconds: null,
    busyWorkers: 0,
    oldestMessageAgeSeconds: null,
  };
  return {
    ...busyQueue(),
    snapshot: snapshot({
      ...{ jobs: [], problems: [], stages: [] },
      queue: { ...queue, ...counts, ...rates, costSoFarUsd: 0, costPerHourUsd: 0 },
    }),
    history(range) {
      const busy = history(range);
      const zeros = none(busy.bucketAt);
      return {
        ...busy,
        ...{ waitingMessages: zeros, inFlightMessages: zeros, delayedMessages: zeros, deadMessages: zeros },
        ...{ classifiedImagesPerSecond: zeros, failedImagesPerSecond: zeros, failedImagesByCode: [] },
        ...{ arrivedImagesPerSecond: zeros, remainingImages: zeros, oldestMessageAgeSeconds: zeros.map(() => null) },
      };
    },
    letters: {
      ...letters(),
      ...{ letters: [], matchingMessages: 0, matchingImages: 0, lookedAtMessages: 0, jobs: [], codes: [], hosts: [] },
    },
  };
}

/** SQS does not answer, with a long reason. */
export function awayQueue(): Shown {
  const sinceAt = Date.now() - 2 * MINUTE_MS;
  const reason = 'ECONNREFUSED 10.0.0.1:4566 '.repeat(8);
  const { connections } = snapshot();
  return {
    ...busyQueue(),
    snapshot: snapshot({
      connections: { ...connections, sqs: { state: 'away', sinceAt, lastAnswerAt: sinceAt, reason } },
      problems: [
        {
          ...{ kind: 'sqs-away', severity: 'critical', title: 'SQS does not answer.', detail: reason },
          ...{ sinceAt, runbookEntry: null, job: null },
        },
      ],
    }),
  };
}
