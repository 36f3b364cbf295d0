import type { DeadLetterRow, DeadLetters } from '../../../dashboard/contract/dead-letters.ts';
import type { Snapshot } from '../../../dashboard/contract/events.ts';
import type { Gallery, JobDetail, JobRow } from '../../../dashboard/contract/jobs.ts';
import type { History } from '../../../dashboard/contract/queue.ts';
import type { Range } from '../../../dashboard/contract/units.ts';
import type { Shown } from './fixture-server.ts';

const NOW = Date.now();
const MINUTE = 60_000;
/** A text that does harm wherever it is taken for markup. */
export const HOSTILE = '<img src=x onerror="document.title=1">\u202Egnp.exe</script><b>';

const RANGE_SECONDS: Record<Range, number> = { '15m': 900, '1h': 3_600, '6h': 21_600, '24h': 86_400, '7d': 604_800 };

export function jobRow(job: string, more: Partial<JobRow> = {}): JobRow {
  return {
    job,
    run: '5f0c2a9e81d4b376',
    state: 'running',
    hasEnded: false,
    sourceImages: 10_000,
    enqueuedImages: 10_000,
    classifiedImages: 6_180,
    failedImages: 212,
    failedImagesByCode: [
      { code: 'not_found', images: 140 },
      { code: 'timeout', images: 52 },
      { code: 'not_an_image', images: 20 },
    ],
    remainingImages: 3_608,
    countsAreEstimates: false,
    imagesPerSecond: 84.3,
    secondsLeft: 43,
    waitsForRetries: false,
    costSoFarUsd: 0.0052,
    startedAt: NOW - 3 * MINUTE,
    lastOutcomeAt: NOW - 2_000,
    source: `s3://labelqueue/lists/${job}.csv`,
    ...more,
  };
}

const ENDED = { hasEnded: true, remainingImages: 0, secondsLeft: null, imagesPerSecond: 0 };

const JOBS: JobRow[] = [
  jobRow('catalogue-2026-11'),
  jobRow('retries', {
    enqueuedImages: 400,
    sourceImages: 400,
    classifiedImages: 391,
    failedImages: 0,
    failedImagesByCode: [],
    remainingImages: 9,
    waitsForRetries: true,
    secondsLeft: null,
    imagesPerSecond: 0,
    lastOutcomeAt: NOW - 40_000,
    source: 'urls.csv',
    costSoFarUsd: 0.0003,
  }),
  jobRow('night-run', {
    ...ENDED,
    state: 'completed',
    enqueuedImages: 120_000,
    sourceImages: 120_000,
    classifiedImages: 120_000,
    failedImages: 0,
    failedImagesByCode: [],
    costSoFarUsd: 0.0961,
    lastOutcomeAt: NOW - 420 * MINUTE,
  }),
  jobRow('marketplace', {
    ...ENDED,
    state: 'completed with failures',
    classifiedImages: 9_410,
    failedImages: 590,
    lastOutcomeAt: NOW - 90 * MINUTE,
    costSoFarUsd: 0.0083,
  }),
  jobRow('old-catalogue', {
    ...ENDED,
    state: 'cancelled',
    classifiedImages: 1_200,
    failedImages: 30,
    failedImagesByCode: [{ code: 'forbidden', images: 30 }],
    remainingImages: 8_770,
    lastOutcomeAt: NOW - 600 * MINUTE,
  }),
  jobRow('default', {
    state: 'unknown',
    run: null,
    sourceImages: null,
    enqueuedImages: null,
    remainingImages: null,
    secondsLeft: null,
    imagesPerSecond: 1.2,
    classifiedImages: 812,
    failedImages: 3,
    failedImagesByCode: [{ code: 'empty', images: 3 }],
    source: null,
    startedAt: null,
  }),
  jobRow(HOSTILE, {
    ...ENDED,
    state: 'failed while enqueuing',
    hasEnded: false,
    remainingImages: 120,
    source: HOSTILE,
  }),
];

function wave(index: number, of: number, period: number): number {
  return 0.5 + 0.5 * Math.sin((index / of) * Math.PI * 2 * period);
}

export function history(range: Range): History {
  const buckets = 240;
  const bucketSeconds = RANGE_SECONDS[range] / buckets;
  const fromAt = NOW - RANGE_SECONDS[range] * 1_000;
  const places = Array.from({ length: buckets }, (_, index) => index);
  const load = places.map((index) => Math.max(0, wave(index, buckets, 1.6) - 0.25) * 1.3);
  const known = (index: number) => index > 40;
  const from = (of: (index: number) => number) => places.map((index) => (known(index) ? Math.round(of(index)) : null));
  const speed = places.map((index) => (load[index] ?? 0) * 90 + (load[index] ? wave(index, 9, 1) * 9 : 0));
  return {
    range,
    fromAt,
    bucketSeconds,
    bucketAt: places.map((index) => fromAt + index * bucketSeconds * 1_000),
    waitingMessages: from((index) => (load[index] ?? 0) * 1_400),
    inFlightMessages: from((index) => Math.min(160, (load[index] ?? 0) * 400)),
    delayedMessages: from((index) => wave(index, buckets, 3) * 60),
    deadMessages: from((index) => index * 1.4),
    oldestMessageAgeSeconds: from((index) => (load[index] ?? 0) * 340),
    classifiedImagesPerSecond: speed,
    failedImagesPerSecond: speed.map((value) => value * 0.04),
    failedImagesByCode: [
      { code: 'not_found', images: places.map((index) => (index % 3 === 0 ? 4 : 1)) },
      { code: 'timeout', images: places.map((index) => (index % 9 === 0 ? 6 : 0)) },
      { code: 'not_an_image', images: places.map((index) => (index % 20 === 0 ? 3 : 0)) },
    ],
    arrivedImagesPerSecond: places.map((index) => (index % 90 < 14 ? 210 : 0)),
    remainingImages: load.map((value) => Math.round(value * 14_000)),
    messagesKnownFromAt: fromAt + 41 * bucketSeconds * 1_000,
  };
}

export function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  return {
    at: NOW,
    environment: { name: 'this machine', kind: 'local', region: null, endpoint: '127.0.0.1:4566' },
    allowsChanges: true,
    connections: {
      sqs: { state: 'connected', sinceAt: NOW - 9 * MINUTE },
      s3: { state: 'connected', sinceAt: NOW - 9 * MINUTE },
    },
    queue: {
      askedAt: NOW,
      waitingMessages: 1_204,
      inFlightMessages: 96,
      delayedMessages: 12,
      deadMessages: 340,
      oldestMessageAgeSeconds: 143,
      remainingImages: 13_608,
      arrivedImagesPerSecond: 0,
      completedImagesPerSecond: 85.5,
      timeToDrainSeconds: 159,
      busyWorkers: 1.8,
      workers: 2,
      costSoFarUsd: 0.1168,
      costPerHourUsd: 0.213,
    },
    problems: [
      {
        kind: 'dead-letters',
        severity: 'warning',
        title: 'The dead-letter queue is not empty.',
        detail: '340 messages are there, 212 of them of the job catalogue-2026-11.',
        sinceAt: NOW - 4 * MINUTE,
        runbookEntry: 'dead-letters',
        job: null,
      },
    ],
    jobs: JOBS,
    moreJobs: 0,
    stages: [
      { stage: 'fetch', p50Ms: 84, p95Ms: 690, p99Ms: 2_400, measuredImages: 6_180 },
      { stage: 'decode', p50Ms: 4, p95Ms: 14, p99Ms: 52, measuredImages: 6_180 },
      { stage: 'infer', p50Ms: 9, p95Ms: 13, p99Ms: 19, measuredImages: 6_180 },
    ],
    alarms: null,
    ...more,
  };
}

export function jobDetail(row: JobRow): JobDetail {
  const { bucketAt, bucketSeconds, classifiedImagesPerSecond, failedImagesPerSecond } = history('15m');
  const settledImages = classifiedImagesPerSecond.map((_, index, all) =>
    Math.round(all.slice(0, index + 1).reduce((sum, value) => sum + value * bucketSeconds, 0)),
  );
  const labels = ['Egyptian cat', 'espresso', 'space shuttle', 'military uniform', 'tabby, tabby cat', HOSTILE];
  const kinds = ['csv', 'jsonl', 'parquet'] as const;
  return {
    ...row,
    updatedAt: NOW,
    imagesPerMessage: 10,
    maxFailureRate: 0.2,
    maxCostUsd: null,
    computing: {
      workers: [{ host: 'lambda', architecture: 'x86_64', memoryMb: 1_769, seconds: 214 }],
      measuredShare: 0.982,
    },
    costPer1000ImagesUsd: 0.0008,
    partFiles: 214,
    series: { bucketAt, bucketSeconds, classifiedImagesPerSecond, failedImagesPerSecond, settledImages },
    content: {
      readImages: 6_392,
      isSample: false,
      labels: labels.map((label, index) => ({
        label,
        images: Math.round(2_200 / (index + 1)),
        meanScore: 0.9 - index * 0.07,
      })),
      moreLabels: 214,
      hosts: ['slow.example.com', 'cdn.example.com', '127.0.0.1:8080'].map((host, index) => ({
        host,
        classifiedImages: 2_000 * (index + 1),
        failedImages: 80 - index * 30,
        silentImages: 40 - index * 20,
        meanAttempts: 1.9 - index * 0.4,
        medianSecondsToOutcome: 61 - index * 20,
      })),
      moreHosts: 0,
      models: [{ name: 'efficientnet-lite0', version: '1-int8', images: 6_180 }],
    },
    links: kinds.flatMap((format) =>
      (['results', 'failures'] as const).map((kind) => ({
        format,
        kind,
        href: `/api/jobs/${encodeURIComponent(row.job)}/${kind}.${format}`,
      })),
    ),
  };
}

function gallery(job: string, label: string | undefined): Gallery {
  const names = ['Egyptian cat', 'espresso', 'space shuttle', 'military uniform'];
  const images = Array.from({ length: 16 }, (_, index) => ({
    id: index === 3 ? HOSTILE : `https://photos.example.com/catalogue/item-${index}.jpg`,
    url: `https://photos.example.com/catalogue/item-${index}.jpg`,
    host: 'photos.example.com',
    labels: [{ label: names[index % 4] ?? '', score: 0.99 - index * 0.02 }],
    thumbnail: `/api/jobs/${encodeURIComponent(job)}/thumbnails/${index % 5}`,
  }));
  return { job, label: label ?? null, isSample: false, images };
}

const REASONS = [
  ['not_found', 'expected status 200, got 404'],
  ['timeout', 'the image took longer than 10 s'],
  ['not_an_image', 'expected an image, got text that starts with <!doctype html'],
] as const;

function letter(index: number): DeadLetterRow {
  const [code, message] = REASONS[index % REASONS.length] ?? REASONS[0];
  const url = `https://cdn.example.com/catalogue/2026/item-${index}.jpg`;
  const image = {
    id: index % 2 === 0 ? `sku-${1_000 + index}` : url,
    url,
    host: 'cdn.example.com',
    code,
    message,
    attempts: code === 'timeout' ? 5 : 1,
    thumbnail: `/api/jobs/catalogue-2026-11/thumbnails/${code === 'timeout' ? index % 4 : 9}`,
  };
  return {
    letterId: `letter-${index}`,
    sentAt: NOW - index * 21_000,
    reason: message,
    job: 'catalogue-2026-11',
    run: '5f0c2a9e81d4b376',
    images: index === 1 ? [image, { ...image, id: HOSTILE, message: HOSTILE }] : [image],
    moreImages: index === 1 ? 3 : 0,
    unreadableBody: null,
  };
}

export function letters(): DeadLetters {
  const unreadable: DeadLetterRow = {
    letterId: 'unreadable',
    sentAt: NOW - 9 * MINUTE,
    reason: 'expected JSON with "images", got text',
    job: null,
    run: null,
    images: [],
    moreImages: 0,
    unreadableBody: HOSTILE,
  };
  return {
    filter: {},
    lookedAt: NOW,
    lookedAtMessages: 340,
    notLookedAtMessages: 0,
    matchingMessages: 340,
    matchingImages: 344,
    letters: [...Array.from({ length: 14 }, (_, index) => letter(index)), unreadable],
    jobs: [{ name: 'catalogue-2026-11', messages: 339 }],
    codes: [
      { name: 'not_found', messages: 220 },
      { name: 'timeout', messages: 99 },
      { name: 'not_an_image', messages: 20 },
      { name: 'unreadable', messages: 1 },
    ],
    hosts: [{ name: 'cdn.example.com', messages: 339 }],
  };
}

/** A busy queue with all that a page can show. */
export function busyQueue(): Shown {
  const { environment } = snapshot();
  return {
    session: { csrfToken: 'token', allowsChanges: true, environment, version: '0.1.0' },
    snapshot: snapshot(),
    history,
    details: new Map(JOBS.map((row) => [row.job, jobDetail(row)])),
    gallery,
    letters: letters(),
  };
}
