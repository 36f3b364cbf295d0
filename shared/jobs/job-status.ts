import type { JobDescription } from '../contract/job-description.ts';
import { type JobRun, runField } from '../contract/job-run.ts';
import type { JobState } from '../contract/job-state.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../contract/limits.ts';
import { costSoFar } from '../cost.ts';
import { isCancelled, readJob } from './job-store.ts';
import type { JobTarget } from './job-target.ts';
import type { ComputingTime } from './measured-time.ts';
import { boundsOf, OutcomeCounter } from './outcome-counter.ts';
import { PartTally } from './part-tally.ts';
import { queueCounts } from './queue-counts.ts';

/**
 * The progress of a job. All counts are images, except those of the queues, which are messages. While a job runs, an image
 * that was delivered twice may count twice; once it has ended, each counts once.
 */
export type JobStatus = {
  job: string;
  /** The newest run, the only one that counts; absent for a job of a version without runs. */
  run?: string;
  state: JobState;
  /** Absent, like `remaining`, for a job that was not enqueued with the command. */
  enqueued?: number;
  classified: number;
  failed: number;
  failedByCode: Record<string, number>;
  /** Whether the counts are estimates from a random sample of the part files, for lack of time to list all of them. */
  countsAreEstimates: boolean;
  /** Images without an outcome, at least; those of a cancelled job never get one. */
  remaining?: number;
  /**
   * The part of `remaining` that no worker will settle: for a minute no message of any job has been waiting, in flight or delayed,
   * and the DLQ is not empty. SQS itself moved their messages there. Absent for a job without such images, or while other
   * messages hide that.
   */
  stranded?: number;
  /** Messages of all jobs: SQS does not distinguish jobs. */
  queue: { waiting: number; inFlight: number; retrying: number; deadLetters: number };
  /** Over the last minute in which images were settled; 0 when the job has stalled or ended. */
  imagesPerSecond: number;
  /** Undefined when the job has stalled or ended. */
  secondsLeft?: number;
  /** At list prices, of the time that its workers measured. */
  costSoFarUsd: number;
  /** The time that workers measured. */
  computing: ComputingTime;
};

/** The states of a job whose images get no more outcomes unless they are sent again. */
export const FINAL: ReadonlySet<JobState> = new Set<JobState>(['completed', 'completed with failures', 'cancelled']);

/** A producer that has not updated `job.json` for this long is considered dead. */
export const STALE_AFTER_MS = 60_000;

/**
 * The counts of SQS are accurate about a minute after messages were last sent, by the producer or by workers.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
const COUNTS_SETTLE_MS = 60_000;

/** How a status is determined. */
export type StatusOptions = {
  /** Remembers what it has read; reuse it for later requests for the same job. */
  counter?: OutcomeCounter;
  /** Ends the listing of part files and the reading of ids; the job then counts as running. */
  signal?: AbortSignal;
  /** For callers that request many jobs: the queues are the same for all. */
  queue?: Promise<JobStatus['queue']>;
  /** Whether the run is cancelled, for callers that know it for many jobs; looked up by default. */
  cancelled?: (of: JobRun) => Promise<boolean>;
  /** For callers that have read both already; read and listed by default. */
  known?: { description: JobDescription | undefined; tally: PartTally };
};

/**
 * Reads a job's status from key listings and queue attributes: a request per 1,000 part files, sixteen concurrently, and four
 * others. Ids are read only of a job that has enough outcomes to be complete, if the names of its part files do not prove it.
 * Undefined for a job that was not enqueued with the command and has neither outcomes nor a cancellation.
 */
export async function jobStatus(
  target: JobTarget,
  job: string,
  now: Date,
  { counter = new OutcomeCounter(target), signal, queue = queueDepths(target), cancelled, known }: StatusOptions = {},
): Promise<JobStatus | undefined> {
  // Awaited below; not needed for an unknown job.
  queue.catch(() => undefined);
  const description = known === undefined ? await readJob(target, job) : known.description;
  const of: JobRun = { job, ...runField(description?.run) };
  const [isStopped, tally] = await Promise.all([
    cancelled?.(of) ?? isCancelled(target, of),
    known?.tally ?? PartTally.of(target, of, signal),
  ]);
  if (description === undefined && tally.parts === 0 && !isStopped) return undefined;
  const isCounted = description !== undefined && tally.isWhole;
  const { exact, ...counts } = isCounted ? await counter.count(description, tally, signal) : boundsOf(tally);
  const queues = await queue;
  return statusOf({ of, description, tally, counts, exact, isStopped, queues, now });
}

/** The parts of a status. */
type Found = {
  of: JobRun;
  description: JobDescription | undefined;
  tally: PartTally;
  counts: Pick<JobStatus, 'classified' | 'failed' | 'failedByCode'>;
  /** Whether the counts are proven. */
  exact: boolean;
  isStopped: boolean;
  queues: JobStatus['queue'];
  now: Date;
};

function statusOf({ of, description, tally, counts, exact, isStopped, queues, now }: Found): JobStatus {
  const settled = counts.classified + counts.failed;
  const remaining = description && Math.max(0, description.sent - settled);
  const isComplete = exact && remaining === 0;
  const state = runState(description, { cancelled: isStopped, isComplete, failed: counts.failed }, now);
  const imagesPerSecond = FINAL.has(state) ? 0 : tally.pace.imagesPerSecond(now) / tally.share;
  const perMessage = description?.perMessage ?? DEFAULT_IMAGES_PER_MESSAGE;
  return {
    job: of.job,
    ...runField(of.run),
    state,
    ...(description !== undefined && { enqueued: description.sent }),
    ...counts,
    countsAreEstimates: !tally.isWhole,
    ...(remaining !== undefined && { remaining }),
    ...strandedField({ state, remaining, queue: queues }, quietSince(tally, description), now),
    queue: queues,
    imagesPerSecond,
    ...(imagesPerSecond > 0 && remaining !== undefined && { secondsLeft: Math.ceil(remaining / imagesPerSecond) }),
    costSoFarUsd: costSoFar(settled, perMessage, tally.time.cost(tally.share)).totalUsd,
    computing: tally.time.computing,
  };
}

/** When a message of the job was last sent, or an image settled. */
function quietSince({ pace }: PartTally, description: JobDescription | undefined): number {
  return Math.max(pace.lastAt?.getTime() ?? 0, description === undefined ? 0 : Date.parse(description.updatedAt));
}

function strandedField(
  { state, remaining = 0, queue }: { state: JobState; remaining: number | undefined; queue: JobStatus['queue'] },
  since: number,
  now: Date,
): { stranded?: number } {
  const isQuiet = now.getTime() - since >= COUNTS_SETTLE_MS;
  return state === 'running' && remaining > 0 && isQuiet && holdsDeadLettersAlone(queue) ? { stranded: remaining } : {};
}

/** Whether the queue is empty and the DLQ is not. */
export function holdsDeadLettersAlone({ waiting, inFlight, retrying, deadLetters }: JobStatus['queue']): boolean {
  return waiting + inFlight + retrying === 0 && deadLetters > 0;
}

/** The state of a run whose description and counts are known. */
export function runState(
  description: JobDescription | undefined,
  { cancelled, isComplete, failed }: { cancelled: boolean; isComplete: boolean; failed: number },
  now: Date,
): JobState {
  if (cancelled) return 'cancelled';
  if (description === undefined) return 'unknown';
  const { state, updatedAt } = description;
  if (state === 'failed') return 'failed while enqueuing';
  if (state === 'enqueuing') {
    return now.getTime() - Date.parse(updatedAt) > STALE_AFTER_MS ? 'failed while enqueuing' : 'enqueuing';
  }
  if (!isComplete) return 'running';
  return failed > 0 ? 'completed with failures' : 'completed';
}

/** Counts the messages of all jobs. */
export async function queueDepths({ sqs, queueUrl, deadLetterQueueUrl }: JobTarget): Promise<JobStatus['queue']> {
  const [queue, deadLetters] = await Promise.all([queueCounts(sqs, queueUrl), queueCounts(sqs, deadLetterQueueUrl)]);
  return {
    waiting: queue.waiting,
    inFlight: queue.inFlight,
    retrying: queue.delayed,
    deadLetters: deadLetters.waiting + deadLetters.inFlight,
  };
}
