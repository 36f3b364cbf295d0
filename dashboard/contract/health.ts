import type { EpochMs } from './units.ts';

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
