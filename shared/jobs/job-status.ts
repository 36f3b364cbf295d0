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
 * How far a job is. All counts are of images, but those of the queues, which SQS gives in messages. While a job runs,
 * an image that was delivered twice may count twice; when it has ended, each counts once.
 */
export type JobStatus = {
  job: string;
  /** The newest run, which is the one that counts; missing for a job of a version before there were runs. */
  run?: string;
  state: JobState;
  /** Missing, as `remaining`, for a job that was not enqueued with the command. */
  enqueued?: number;
  classified: number;
  failed: number;
  failedByCode: Record<string, number>;
  /** There was no time to list all part files: the counts are estimates, from a random sample of the files. */
  countsAreEstimates: boolean;
  /** Without an outcome, at least; of a cancelled job these will stay so. */
  remaining?: number;
  /**
   * Of `remaining`, those that nothing will settle: for a minute no message has been waiting, in flight or delayed, of any job,
   * and the DLQ holds some. SQS moved theirs there by itself. Missing for a job that has none, or while other messages
   * hide that.
   */
  stranded?: number;
  /** Messages of all jobs: SQS does not tell them apart. */
  queue: { waiting: number; inFlight: number; retrying: number; deadLetters: number };
  /** Over the last minute in which images were settled; 0 when the job has stopped moving, and when it has ended. */
  imagesPerSecond: number;
  /** Undefined when the job has stopped moving, and when it has ended. */
  secondsLeft?: number;
  /** At list prices, of the time that its workers measured. */
  costSoFarUsd: number;
  /** That time. */
  computing: ComputingTime;
};

/** Of a job whose images get no more outcomes, unless somebody sends them again. */
export const FINAL: ReadonlySet<JobState> = new Set<JobState>(['completed', 'completed with failures', 'cancelled']);

/** A producer that has not reported for so long is not there any more. */
export const STALE_AFTER_MS = 60_000;

/**
 * SQS's counts are right about a minute after messages were sent last, by the producer or by workers.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
const COUNTS_SETTLE_MS = 60_000;

/** How a status is counted. */
export type StatusOptions = {
  /** Remembers what it has read; to be given again to whoever asks for the same job again. */
  counter?: OutcomeCounter;
  /** Ends the listing of files, and the reading of ids; the job then counts as running. */
  signal?: AbortSignal;
  /** For whoever asks for many jobs: the queues are the same for all. */
  queue?: Promise<JobStatus['queue']>;
  /** Whether the run is cancelled, for whoever knows it for many jobs; asked for by default. */
  cancelled?: (of: JobRun) => Promise<boolean>;
  /** For a caller that has read both already; read and listed by default. */
  known?: { description: JobDescription | undefined; tally: PartTally };
};

/**
 * Reads a job's status from key listings and queue attributes: a request per 1,000 part files, sixteen at once, and
 * four more. Ids are read only of a job that has enough outcomes to be complete, where their names do not prove
 * that it is. Undefined for a job that was not enqueued with the command and has neither outcomes nor a cancellation.
 */
export async function jobStatus(
  target: JobTarget,
  job: string,
  now: Date,
  { counter = new OutcomeCounter(target), signal, queue = queueDepths(target), cancelled, known }: StatusOptions = {},
): Promise<JobStatus | undefined> {
  // Awaited below; a job that there is not needs none.
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

/** What a status is made of. */
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
    costSoFarUsd: costSoFar(settled, perMessage, tally.time.usd / tally.share).totalUsd,
    computing: tally.time.computing,
  };
}

/** When a message of the job was sent last, or an image settled. */
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

/** Whether nothing is left on the queue, and something is in the DLQ. */
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

/** How many messages of all jobs there are. */
export async function queueDepths({ sqs, queueUrl, deadLetterQueueUrl }: JobTarget): Promise<JobStatus['queue']> {
  const [queue, deadLetters] = await Promise.all([queueCounts(sqs, queueUrl), queueCounts(sqs, deadLetterQueueUrl)]);
  return {
    waiting: queue.waiting,
    inFlight: queue.inFlight,
    retrying: queue.delayed,
    deadLetters: deadLetters.waiting + deadLetters.inFlight,
  };
}
