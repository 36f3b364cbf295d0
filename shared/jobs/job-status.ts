import { GetQueueAttributesCommand, type QueueAttributeName } from '@aws-sdk/client-sqs';
import { costSoFar } from '../contract/cost.ts';
import type { JobDescription } from '../contract/job-description.ts';
import { runField } from '../contract/job-run.ts';
import { isCancelled, readJob } from './job-store.ts';
import type { JobTarget } from './job-target.ts';
import { listParts, type Part, totalLines } from './list-parts.ts';
import { type ComputingTime, MeasuredTime } from './measured-time.ts';
import { OutcomeCounter } from './outcome-counter.ts';

export type JobState =
  | 'enqueuing'
  | 'running'
  | 'completed'
  | 'completed with failures'
  | 'cancelled'
  | 'failed while enqueuing';

/**
 * How far a job is. All counts are of images, but those of the queues, which SQS gives in messages. While a job runs,
 * an image that was delivered twice may count twice; when it has ended, each counts once.
 */
export type JobStatus = {
  job: string;
  /** The newest run, which is the one that counts; missing for a job of a version before there were runs. */
  run?: string;
  state: JobState;
  enqueued: number;
  classified: number;
  failed: number;
  failedByCode: Record<string, number>;
  /** Without an outcome, at least; of a cancelled job these will stay so. */
  toGo: number;
  /** Messages of all jobs: SQS does not tell them apart. */
  queue: { waiting: number; inFlight: number; retrying: number; deadLetters: number };
  /** Over the last minute in which images were settled. */
  imagesPerSecond: number;
  /** Undefined while nothing moves, and when the job has ended. */
  secondsLeft?: number;
  /** At list prices, of the time that its workers measured. */
  costSoFarUsd: number;
  /** That time. */
  computing: ComputingTime;
};

/** Of a job whose images get no more outcomes, unless somebody sends them again. */
export const FINAL: ReadonlySet<JobState> = new Set<JobState>(['completed', 'completed with failures', 'cancelled']);

/** A producer that has not reported for so long is not there any more. */
const STALE_AFTER_MS = 60_000;
const RATE_WINDOW_MS = 60_000;

/** How a status is counted. */
export type StatusOptions = {
  /** Remembers what it has read; to be given again to whoever asks for the same job again. */
  counter?: OutcomeCounter;
  /** Ends the reading of ids; the job then counts as running. */
  signal?: AbortSignal;
};

/**
 * Reads a job's status from key listings and queue attributes: a request per 1,000 part files, and
 * four more. Ids are read only of a job that has enough outcomes to be complete, where their names do not prove
 * that it is. Undefined for a job that was not enqueued with the command.
 */
export async function jobStatus(
  target: JobTarget,
  job: string,
  now: Date,
  { counter = new OutcomeCounter(target), signal }: StatusOptions = {},
): Promise<JobStatus | undefined> {
  const description = await readJob(target, job);
  if (description === undefined) return undefined;
  const time = new MeasuredTime();
  const [cancelled, queue, failures] = await Promise.all([
    isCancelled(target, description),
    queueDepths(target),
    listParts(target, 'failures', description, time),
  ]);
  // After the failures: a redrive turns them into results, never the other way round.
  const results = await listParts(target, 'results', description, time);
  const { exact, ...counts } = await counter.count(description, { results, failures }, signal);
  const settled = counts.classified + counts.failed;
  const toGo = Math.max(0, description.sent - settled);
  const imagesPerSecond = recentRate([...results, ...failures], now);
  const state = stateOf(description, { cancelled, isComplete: exact && toGo === 0, failed: counts.failed }, now);
  const isMoving = imagesPerSecond > 0 && !FINAL.has(state);
  return {
    job,
    ...runField(description.run),
    state,
    enqueued: description.sent,
    ...counts,
    toGo,
    queue,
    imagesPerSecond,
    ...(isMoving && { secondsLeft: Math.ceil(toGo / imagesPerSecond) }),
    costSoFarUsd: costSoFar(settled, description.perMessage, time.usd).totalUsd,
    computing: time.computing,
  };
}

function stateOf(
  { state, updatedAt }: JobDescription,
  { cancelled, isComplete, failed }: { cancelled: boolean; isComplete: boolean; failed: number },
  now: Date,
): JobState {
  if (cancelled) return 'cancelled';
  if (state === 'failed') return 'failed while enqueuing';
  if (state === 'enqueuing') {
    return now.getTime() - Date.parse(updatedAt) > STALE_AFTER_MS ? 'failed while enqueuing' : 'enqueuing';
  }
  if (!isComplete) return 'running';
  return failed > 0 ? 'completed with failures' : 'completed';
}

/** From the times at which parts were written: no state has to be kept between two looks. */
function recentRate(parts: readonly Part[], now: Date): number {
  if (parts.length === 0) return 0;
  // Not Math.max: a large job has more parts than a call takes arguments.
  const last = parts.reduce((latest, { writtenAt }) => Math.max(latest, writtenAt.getTime()), 0);
  const recent = parts.filter(({ writtenAt }) => writtenAt.getTime() > last - RATE_WINDOW_MS);
  const first = recent.reduce((earliest, { writtenAt }) => Math.min(earliest, writtenAt.getTime()), last);
  // S3 tells whole seconds, and a window of no length has no rate.
  const seconds = Math.max(1, (last - first) / 1_000);
  return now.getTime() - last > RATE_WINDOW_MS ? 0 : totalLines(recent) / seconds;
}

async function queueDepths({ sqs, queueUrl, deadLetterQueueUrl }: JobTarget): Promise<JobStatus['queue']> {
  const depths = async (url: string) => {
    const names: QueueAttributeName[] = [
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
    ];
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: names }));
    const [waiting = 0, inFlight = 0, delayed = 0] = names.map((name) => Number(Attributes[name] ?? 0));
    return { waiting, inFlight, delayed };
  };
  const [queue, deadLetters] = await Promise.all([depths(queueUrl), depths(deadLetterQueueUrl)]);
  return {
    waiting: queue.waiting,
    inFlight: queue.inFlight,
    retrying: queue.delayed,
    deadLetters: deadLetters.waiting + deadLetters.inFlight,
  };
}
