/**
 * What the dashboard's server sends and takes: all that its page may rely on. Types alone: nothing of this file is loaded
 * by a browser.
 *
 * The page is plain ES modules (`dashboard/page/*.js`) with JSDoc types, checked by tsc like `cli/report/charts.js`
 * (`/// <reference lib="dom" />` and `@import { Snapshot } from '../contract.ts'` in a comment). TypeScript is not served:
 * Node 24 prints an ExperimentalWarning when it strips types for others.
 *
 * Assets. `GET /` is `dashboard/page/index.html`; the page's state is in its query (`/?job=<job>&range=6h`), since
 * `labelqueue local` serves its HTTP API beside it (`/jobs/<job>`, `/classify`, `/healthz`, `/openapi.json`). `GET
 * /assets/<path>` is the file `dashboard/page/<path>` (.js, .css, .svg, .webmanifest), with an ETag and compressed. `GET
 * /assets/vendor/chart.js` is Chart.js's build for a `<script>` (global `Chart`); `/assets/vendor/uplot.js` and `uplot.css`
 * are uPlot's, if it is installed. The policy is `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';
 * connect-src 'self'; manifest-src 'self'`: no inline script, no inline style (neither `<style>` nor `style=`; setting
 * `element.style.…` from a script works), no `data:` image.
 *
 * Connections. A browser has six connections at most to a host over HTTP/1.1, all tabs together: close the EventSource
 * while `document.hidden`, and open it again after that.
 *
 * Names. A count's name ends with what is counted, `Images` or `Messages`. `…At` are milliseconds since 1970, UTC.
 * `…Seconds`, `…PerSecond` and `…Usd` say their unit. `null` is "not known"; 0 is a count of none.
 *
 * Texts of others (names of jobs and hosts, reasons, labels, URLs) are bounded and have no control or direction
 * characters; URLs have no user info, query or fragment. They are still texts: set them with `textContent`.
 */
import type { JobState } from '../shared/contract/job-state.ts';

export type { JobState };

/** Milliseconds since 1970, UTC. */
export type EpochMs = number;

/** What `?range=` may be. */
export type Range = '15m' | '1h' | '6h' | '24h' | '7d';

/** `GET /api/session`: constant while the server runs. Request it again when a change is refused with `csrf`. */
export type Session = {
  /** Send it in the header `x-labelqueue-csrf` of each POST. */
  csrfToken: string;
  /** Whether POSTs are accepted: the server was started with `--allow-changes`. Otherwise hide or disable changes. */
  allowsChanges: boolean;
  environment: Environment;
  /** Of labelqueue, e.g. `0.1.0`. */
  version: string;
};

/** The environment of the queue, for the badge. */
export type Environment = {
  /** E.g. `this machine`, `labelqueue-dev`. */
  name: string;
  /** `prod` is shown in red. */
  kind: 'local' | 'dev' | 'prod';
  /** E.g. `us-east-1`; null where there is none. */
  region: string | null;
  /** The host of an endpoint that is not AWS's own, e.g. `127.0.0.1:4566`; null otherwise. */
  endpoint: string | null;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* Server-sent events                                                                                                 */
/* ------------------------------------------------------------------------------------------------------------------ */

/**
 * `GET /api/events?range=1h[&job=<job>]`, `text/event-stream`. The server sends `retry:`, an `id:` per snapshot and a
 * comment each 15 s. On connecting, `snapshot` and `history` come as soon as they are known (at once when another tab
 * is open), then `snapshot` about each 2 s and `history` about each 10 s. With `job`, the event `job` comes on
 * connecting and when it has changed; `job-missing` (`{ job }`) when there is none of this name. The server does not
 * poll while no tab is connected.
 */
export type EventsByName = {
  snapshot: Snapshot;
  history: History;
  job: JobDetail;
  'job-missing': { job: string };
};

/** The current state. The last known figures stay while SQS or S3 is unreachable: see `connections`. */
export type Snapshot = {
  at: EpochMs;
  environment: Environment;
  allowsChanges: boolean;
  connections: { sqs: Connection; s3: Connection };
  queue: QueueFigures;
  /** Most severe first; empty if there are none. */
  problems: Problem[];
  /** The most recently active first; at most 500. */
  jobs: JobRow[];
  /** Jobs that are left out of `jobs`. */
  moreJobs: number;
  /** Times of the stages; empty if unknown. */
  stages: StageTime[];
  /** States of the stack's alarms on AWS; null elsewhere and where they cannot be read. */
  alarms: Alarm[] | null;
};

/** Whether a service answers, and since when. */
export type Connection =
  | { state: 'connecting' }
  | { state: 'connected'; sinceAt: EpochMs }
  /** `reason` is one short line, e.g. `ECONNREFUSED 127.0.0.1:4566`; `lastAnswerAt` null when it never answered. */
  | { state: 'away'; sinceAt: EpochMs; lastAnswerAt: EpochMs | null; reason: string };

/** Figures of the queue, and of all jobs together. */
export type QueueFigures = {
  /** When SQS was asked; null when it never answered. Then the four counts are null, too. */
  askedAt: EpochMs | null;
  waitingMessages: number | null;
  inFlightMessages: number | null;
  /** Waiting for a retry. */
  delayedMessages: number | null;
  /** In the dead-letter queue. */
  deadMessages: number | null;
  /** Null if the queue's service does not report it. */
  oldestMessageAgeSeconds: number | null;
  /** Without an outcome, of all jobs that were enqueued with the command. */
  remainingImages: number | null;
  /** Mean of the last minute, of jobs that were enqueued with the command. */
  arrivedImagesPerSecond: number;
  /** Sum of the jobs' own rates, as `status` has them. */
  completedImagesPerSecond: number;
  /** At that rate; null without progress, 0 when workers will get no more images. */
  timeToDrainSeconds: number | null;
  /** Mean of the last minute, from the time that workers measured. Null when a running job has too many files. */
  busyWorkers: number | null;
  /** Number of workers; null if unknown. */
  workers: number | null;
  /** At list prices, of all jobs that have files. */
  costSoFarUsd: number;
  /** From the cost of the last minute; null when a running job has too many files. */
  costPerHourUsd: number | null;
};

/** A problem. */
export type Problem = {
  kind:
    | 'sqs-away'
    | 's3-away'
    | 'no-workers'
    | 'no-progress'
    | 'dead-letters'
    | 'failure-share'
    | 'oldest-message'
    | 'enqueue-stopped'
    | 'job-unreadable'
    | 'alarm';
  severity: 'critical' | 'warning';
  /** One line, e.g. `No worker takes messages`. */
  title: string;
  /** A sentence with the figures, e.g. `1,204 messages wait, none is in flight, and no image has had an outcome for 5 min.` */
  detail: string;
  sinceAt: EpochMs | null;
  /** For `GET /api/runbook/<entry>`, e.g. `no-progress`; null when the runbook has none. */
  runbookEntry: string | null;
  /** The job, if the problem concerns one job. */
  job: string | null;
};

/** `GET /api/runbook/<entry>`: an entry of docs/runbook.md. */
export type RunbookEntry = { entry: string; title: string; markdown: string };

/** An alarm of CloudWatch. */
export type Alarm = {
  name: string;
  state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  reason: string;
  sinceAt: EpochMs | null;
  runbookEntry: string | null;
};

/** Times of a stage per image, over about the last hour. */
export type StageTime = {
  stage: 'fetch' | 'decode' | 'infer';
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Number of measured images; null if unknown. */
  measuredImages: number | null;
};

/** A row of the jobs table, with the figures of `labelqueue status --json`. */
export type JobRow = {
  job: string;
  run: string | null;
  state: JobState;
  /** It gets no more outcomes unless images are sent again. */
  hasEnded: boolean;
  /**
   * Of the whole source; null, like `enqueuedImages` and `remainingImages`, for a job that was not enqueued with the
   * command.
   */
  sourceImages: number | null;
  /** On the queue for certain. */
  enqueuedImages: number | null;
  classifiedImages: number;
  failedImages: number;
  /** The most frequent first. */
  failedImagesByCode: { code: string; images: number }[];
  remainingImages: number | null;
  /** The counts are of a sample of the files. */
  countsAreEstimates: boolean;
  imagesPerSecond: number;
  /** At that rate, which includes attempts that end in a retry; null without progress or after the end. */
  secondsLeft: number | null;
  /** All remaining images wait for their next attempt. */
  waitsForRetries: boolean;
  costSoFarUsd: number;
  startedAt: EpochMs | null;
  /** Time of the last outcome. */
  lastOutcomeAt: EpochMs | null;
  /** E.g. `urls.csv`, `s3://bucket/prefix/`. */
  source: string | null;
};

/** Series for the charts of the overview. Each array has one value per bucket; null is unknown. */
export type History = {
  range: Range;
  fromAt: EpochMs;
  bucketSeconds: number;
  /** Start times of the buckets, at most 300. */
  bucketAt: EpochMs[];
  /** From CloudWatch on AWS, and from polls since the server started. */
  waitingMessages: (number | null)[];
  inFlightMessages: (number | null)[];
  delayedMessages: (number | null)[];
  deadMessages: (number | null)[];
  oldestMessageAgeSeconds: (number | null)[];
  /** From the names of part files, so also before the page was opened. */
  classifiedImagesPerSecond: number[];
  failedImagesPerSecond: number[];
  /** Totals of the bucket, the most frequent code first; at most 8 codes, then `other`. */
  failedImagesByCode: { code: string; images: number[] }[];
  /** From the descriptions of jobs, spread evenly over the time of enqueuing. */
  arrivedImagesPerSecond: number[];
  /** Enqueued and without an outcome at the end of the bucket. */
  remainingImages: number[];
  /** Start of the known message counts; null if unknown. */
  messagesKnownFromAt: EpochMs | null;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* A job                                                                                                              */
/* ------------------------------------------------------------------------------------------------------------------ */

/** `GET /api/jobs/<job>`, and the event `job`. 404 with the code `no-such-job`. */
export type JobDetail = JobRow & {
  /** When a producer last updated it. */
  updatedAt: EpochMs | null;
  imagesPerMessage: number | null;
  maxFailureRate: number | null;
  maxCostUsd: number | null;
  /** Time measured by its workers, by kind of machine. */
  computing: {
    workers: {
      host: 'lambda' | 'ec2' | 'own';
      architecture: string;
      /** 0 outside Lambda. */
      memoryMb: number;
      instanceFamily?: string | undefined;
      seconds: number;
    }[];
    /** Fraction of outcomes with measured time, 0 to 1. */
    measuredShare: number;
  };
  costPer1000ImagesUsd: number | null;
  partFiles: number;
  /** From its first to its last outcome, at most 300 buckets. */
  series: JobSeries;
  /** Content of its lines; null until they are read, which takes some seconds for a large job. */
  content: JobContent | null;
  links: { format: 'csv' | 'jsonl' | 'parquet'; kind: 'results' | 'failures'; href: string }[];
};

export type JobSeries = {
  bucketSeconds: number;
  bucketAt: EpochMs[];
  classifiedImagesPerSecond: number[];
  failedImagesPerSecond: number[];
  /** Images with an outcome, up to the end of the bucket. */
  settledImages: number[];
};

export type JobContent = {
  /** Number of lines that were read. */
  readImages: number;
  /** Only a random sample of the part files was read: counts are of the sample. */
  isSample: boolean;
  /** By best label, most frequent first, at most 200. */
  labels: { label: string; images: number; meanScore: number }[];
  moreLabels: number;
  /** The slowest first: by attempts per image, then by failures. At most 50. */
  hosts: JobHost[];
  moreHosts: number;
  models: { name: string; version: string; images: number }[];
};

export type JobHost = {
  host: string;
  classifiedImages: number;
  failedImages: number;
  /** Failed with `timeout` or `connection_failed`. */
  silentImages: number;
  /** 1 without retries. */
  meanAttempts: number;
  /** Median time from the start of the job to an image's outcome; null if the start is unknown. */
  medianSecondsToOutcome: number | null;
};

/**
 * `GET /api/jobs/<job>/gallery[?label=<label>][&limit=24]`: classified images, highest score first. The limit is 1 to
 * 100.
 */
export type Gallery = {
  job: string;
  label: string | null;
  images: GalleryImage[];
  isSample: boolean;
};

export type GalleryImage = {
  id: string;
  /** E.g. `https://host/a.jpg`. */
  url: string;
  host: string;
  /** Best first, at most 5. */
  labels: { label: string; score: number }[];
  /**
   * The address of a WebP of 240 x 240: `/api/jobs/<job>/thumbnails/<token>`. 200 with the picture, 404 with the code
   * `picture-unavailable` when the image is not available any more.
   */
  thumbnail: string;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* Dead letters                                                                                                       */
/* ------------------------------------------------------------------------------------------------------------------ */

/**
 * A letter is listed if one of its images matches all given fields. A redrive sends the matching images, and removes
 * letters whose images were all sent.
 */
export type DeadLetterFilter = {
  job?: string;
  /** An error code, or `unreadable`. */
  code?: string;
  /** The host name, with the port if the URL has one. */
  host?: string;
  /** Contained in id, URL (without query) or message of an image, or in the reason of a malformed message. */
  text?: string;
};

/**
 * `GET /api/dead-letters?job=&code=&host=&text=[&fresh=1]`. Letters are put back after the scan. A scan takes some
 * seconds and is reused for other filters for 15 s, unless `fresh=1` requests a new one.
 */
export type DeadLetters = {
  filter: DeadLetterFilter;
  /** Time of the scan. */
  lookedAt: EpochMs;
  lookedAtMessages: number;
  /** Approximate number of letters that were not read: other readers hold them, or there were too many. */
  notLookedAtMessages: number;
  /** Number of matching letters, which must be typed to redrive or delete them. */
  matchingMessages: number;
  matchingImages: number;
  /** The newest first, at most 200. */
  letters: DeadLetterRow[];
  /** For the filter's lists, of all letters that were read; most frequent first, at most 50 each. */
  jobs: { name: string; messages: number }[];
  codes: { name: string; messages: number }[];
  hosts: { name: string; messages: number }[];
};

export type DeadLetterRow = {
  letterId: string;
  sentAt: EpochMs;
  reason: string | null;
  /** Null for a malformed message. */
  job: string | null;
  run: string | null;
  /** At most 20; the others are counted in `moreImages`. Empty for a malformed message. */
  images: DeadLetterImage[];
  moreImages: number;
  /** The beginning of a malformed body; null otherwise. */
  unreadableBody: string | null;
};

export type DeadLetterImage = {
  id: string;
  url: string;
  host: string;
  code: string;
  message: string;
  attempts: number;
  thumbnail: string;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* Changes: 403 `read-only` unless the server was started with --allow-changes                                        */
/* ------------------------------------------------------------------------------------------------------------------ */

/**
 * Each POST takes `content-type: application/json`, the header `x-labelqueue-csrf`, and answers 200 with
 * {@link Changed} or an {@link ApiError}. `confirm` is what the person has typed; the server compares it again.
 *
 * - `POST /api/dead-letters/redrive` and `/api/dead-letters/delete`: {@link DeadLetterChange}; `confirm` is the number of
 *   matching messages. 409 `count-changed` with the new number in `expected` when it is not the same any more. Letters
 *   that are not messages, and those of cancelled jobs or earlier runs, cannot be redriven, and stay.
 * - `POST /api/jobs/<job>/cancel`: {@link JobChange}; `confirm` is the job's name.
 * - `POST /api/jobs/<job>/redrive`: {@link JobRedrive}; `confirm` is the job's name. Sends its failed images again.
 */
export type DeadLetterChange = { filter: DeadLetterFilter; confirm: string };
export type JobChange = { confirm: string };
export type JobRedrive = { confirm: string; codes?: string[] };

export type Changed = {
  /** Images sent again; 0 for a deletion or cancellation. */
  images: number;
  /** Removed from the dead-letter queue. */
  messages: number;
  /** One sentence for the user, e.g. `12 images sent again, 12 dead letters removed.` */
  text: string;
};

/** The body of each response that is not 2xx. */
export type ApiError = {
  error: {
    code: ApiErrorCode;
    /** One sentence: what was expected, what came, what to do next. */
    message: string;
    /** What must be typed, with `count-changed` and `not-confirmed`. */
    expected?: string;
  };
};

export type ApiErrorCode =
  | 'bad-request'
  | 'host-not-allowed'
  | 'origin-not-allowed'
  | 'token-required'
  | 'csrf'
  | 'read-only'
  | 'not-found'
  | 'no-such-job'
  | 'picture-unavailable'
  | 'not-confirmed'
  | 'count-changed'
  | 'not-possible'
  | 'busy'
  | 'service-away'
  | 'internal';

/* ------------------------------------------------------------------------------------------------------------------ */
/* Others                                                                                                             */
/* ------------------------------------------------------------------------------------------------------------------ */

/*
 * GET /api/jobs/<job>/results.<csv|jsonl|parquet> and /api/jobs/<job>/failures.<…>: a download, made by what
 * `labelqueue results` and `failures` use; one at a time, 503 `busy` otherwise.
 * GET /metrics: Prometheus text, where it is mounted. GET /healthz: 200 `ok`, without a token.
 */
