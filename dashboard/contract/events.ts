import type { Alarm, Problem } from './health.ts';
import type { JobDetail, JobRow } from './jobs.ts';
import type { History, QueueFigures, StageTime } from './queue.ts';
import type { Environment } from './session.ts';
import type { EpochMs } from './units.ts';

/**
 * `GET /api/events?range=1h[&job=<job>]`, `text/event-stream`. The server sends `retry:`, an `id:` per snapshot and a
 * comment each 15 s. On connecting, `snapshot` and `history` come as soon as they are known (at once when another tab
 * is open), then `snapshot` about each 2 s and `history` about each 10 s. With `job`, the event `job` comes on
 * connecting and when it has changed; `job-missing` (`{ job }`) when there is none of this name. The server does not
 * poll while no tab is connected.
 *
 * Over HTTP/1.1 a browser has six connections per host, all tabs together: close the EventSource of a hidden tab.
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
