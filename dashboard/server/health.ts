import { MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import type { Snapshot } from '../contract/events.ts';
import type { Alarm, Problem } from '../contract/health.ts';
import type { JobRow } from '../contract/jobs.ts';

/** Messages that wait while none is in flight: a worker asks for messages far more often. */
const NO_WORKERS_AFTER_MS = 30_000;
/**
 * Time without progress: shorter than the alarm's 20 minutes, since somebody is watching; longer than any invocation.
 */
const NO_PROGRESS_AFTER_MS = 5 * 60_000;
/** The default threshold of the stack's alarm: see `infra/stage-config.ts`. */
const FAILURE_SHARE = 0.25;
const MIN_OUTCOMES = 20;
const OLDEST_MESSAGE_SECONDS = 3_600;
/** A job that stopped while enqueuing is reported for a day. */
const NEWS_MS = 24 * 3_600_000;

const COUNT = new Intl.NumberFormat('en-US');

/** Input for finding problems, besides the figures themselves. */
export type Observed = {
  snapshot: Omit<Snapshot, 'problems'>;
  /** Since when messages wait and none is in flight; undefined otherwise. */
  untakenSince: number | undefined;
  /** Since when there are messages and no image has got an outcome. */
  stillSince: number | undefined;
  recentlyClassified: number;
  recentlyFailed: number;
  /** Jobs that could not be read, and why. */
  unreadable: readonly { job: string; reason: string }[];
};

/** Maximum number of reported problems of single jobs. */
const MAX_JOBS = 20;

/** The current problems, most severe first. */
export function problemsOf(observed: Observed): Problem[] {
  const { snapshot } = observed;
  const away = awayProblems(snapshot);
  // Old figures of the queue and the bucket are not judged while these are unreachable.
  const found = snapshot.connections.sqs.state === 'away' ? [] : queueProblems(observed);
  const alarms = (snapshot.alarms ?? []).filter(({ state }) => state === 'ALARM').map(alarmProblem);
  return [
    ...away,
    ...found,
    ...failureProblems(observed),
    ...stoppedJobs(snapshot),
    ...unreadableJobs(observed),
    ...alarms,
  ].sort((one, other) => Number(other.severity === 'critical') - Number(one.severity === 'critical'));
}

const NOTHING_MORE = { job: null, runbookEntry: null, sinceAt: null };

function awayProblems({ connections }: Observed['snapshot']): Problem[] {
  return (['sqs', 's3'] as const).flatMap((service) => {
    const connection = connections[service];
    if (connection.state !== 'away') return [];
    const name = service === 'sqs' ? 'SQS' : 'S3';
    const detail = `${name} does not answer (${connection.reason}). The figures are the last known ones; the page tries again.`;
    const { sinceAt } = connection;
    return [
      {
        ...NOTHING_MORE,
        kind: `${service}-away`,
        severity: 'critical',
        title: `${name} does not answer`,
        detail,
        sinceAt,
      },
    ];
  });
}

function queueProblems({ snapshot, untakenSince, stillSince }: Observed): Problem[] {
  const { at, queue } = snapshot;
  const { waitingMessages, inFlightMessages, deadMessages, oldestMessageAgeSeconds } = queue;
  const problems: Problem[] = [];
  const isUntaken = untakenSince !== undefined && at - untakenSince >= NO_WORKERS_AFTER_MS;
  if (isUntaken) {
    problems.push({
      ...NOTHING_MORE,
      kind: 'no-workers',
      severity: 'critical',
      title: 'No worker takes messages',
      detail: `${messages(waitingMessages)} ${waitingMessages === 1 ? 'waits' : 'wait'} and none is in flight.`,
      sinceAt: untakenSince,
      runbookEntry: 'no-progress',
    });
  } else if (stillSince !== undefined && at - stillSince >= NO_PROGRESS_AFTER_MS) {
    problems.push({
      ...NOTHING_MORE,
      kind: 'no-progress',
      severity: 'critical',
      title: 'No progress',
      detail: `${messages(waitingMessages)} waiting, ${COUNT.format(inFlightMessages ?? 0)} in flight, and no image has an outcome. Messages of a crashed worker are redelivered after ${VISIBILITY_TIMEOUT_SECONDS / 60} minutes, up to ${MAX_RECEIVE_COUNT} times.`,
      sinceAt: stillSince,
      runbookEntry: 'no-progress',
    });
  }
  if ((oldestMessageAgeSeconds ?? 0) > OLDEST_MESSAGE_SECONDS) {
    problems.push({
      ...NOTHING_MORE,
      kind: 'oldest-message',
      severity: 'warning',
      title: 'A message has waited for more than an hour',
      detail: `The oldest message is ${Math.round((oldestMessageAgeSeconds ?? 0) / 60)} minutes old.`,
      runbookEntry: 'oldest-message',
    });
  }
  if ((deadMessages ?? 0) > 0) {
    problems.push({
      ...NOTHING_MORE,
      kind: 'dead-letters',
      severity: 'warning',
      title: 'The dead-letter queue is not empty',
      detail: `${messages(deadMessages)} in the dead-letter queue: failed images or malformed messages.`,
      runbookEntry: 'dead-letters',
    });
  }
  return problems;
}

function messages(count: number | null): string {
  return `${COUNT.format(count ?? 0)} ${count === 1 ? 'message' : 'messages'}`;
}

function failureProblems({ recentlyClassified, recentlyFailed }: Observed): Problem[] {
  const outcomes = recentlyClassified + recentlyFailed;
  const share = outcomes === 0 ? 0 : recentlyFailed / outcomes;
  if (outcomes < MIN_OUTCOMES || share <= FAILURE_SHARE) return [];
  const detail = `${COUNT.format(recentlyFailed)} of ${COUNT.format(outcomes)} images failed in the last 15 minutes: ${Math.round(share * 100)} %.`;
  const title = 'Many images fail';
  return [
    { ...NOTHING_MORE, kind: 'failure-share', severity: 'warning', title, detail, runbookEntry: 'failure-share' },
  ];
}

function stoppedJobs({ at, jobs }: Observed['snapshot']): Problem[] {
  const stopped = jobs.filter(
    ({ state, startedAt }) => state === 'failed while enqueuing' && at - (startedAt ?? 0) < NEWS_MS,
  );
  return stopped.slice(0, MAX_JOBS).map((row) => ({
    ...NOTHING_MORE,
    kind: 'enqueue-stopped',
    severity: 'warning',
    title: `${row.job} was not enqueued completely`,
    detail: `${howMany(row)} were sent. To send the rest: labelqueue enqueue … --job ${row.job} --resume`,
    job: row.job,
    sinceAt: row.startedAt,
  }));
}

function unreadableJobs({ unreadable }: Observed): Problem[] {
  return unreadable.slice(0, MAX_JOBS).map(({ job, reason }) => ({
    ...NOTHING_MORE,
    kind: 'job-unreadable',
    severity: 'warning',
    title: `${job} cannot be read`,
    detail: reason,
    job,
  }));
}

function howMany({ enqueuedImages, sourceImages }: JobRow): string {
  return `${COUNT.format(enqueuedImages ?? 0)} of ${COUNT.format(sourceImages ?? 0)} images`;
}

function alarmProblem({ name, reason, sinceAt, runbookEntry }: Alarm): Problem {
  const title = `Alarm: ${name}`;
  return { ...NOTHING_MORE, kind: 'alarm', severity: 'critical', title, detail: reason, sinceAt, runbookEntry };
}
