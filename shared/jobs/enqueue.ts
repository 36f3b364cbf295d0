import pMap from 'p-map';
import { IdSum } from '../contract/id-sum.ts';
import type { JobDescription } from '../contract/job-description.ts';
import { newRun, runField } from '../contract/job-run.ts';
import type { ImageRef } from '../contract/message.ts';
import { type PackedMessage, packMessages } from '../contract/pack-messages.ts';
import { UserError } from '../contract/user-error.ts';
import { ContiguousProgress } from './contiguous-progress.ts';
import { reopenEnd } from './end-hold.ts';
import { requestEndLookIfAnnounced } from './end-look.ts';
import { isCancelled, readJob, writeJob, writeNewestRun } from './job-store.ts';
import type { JobTarget } from './job-target.ts';
import { sendBatch, sendBatches } from './send-messages.ts';
import { recordOrder } from './source-order.ts';

/** Concurrent requests to SQS; more do not make a producer faster. */
const SENDS_AT_ONCE = 8;
/** Interval of writing the progress to `job.json`: an interruption may send the messages of this time twice. */
const CHECKPOINT_MS = 1_000;

/**
 * Interval of requesting looks at the end while enqueuing: the producer may be killed after everything it had sent was
 * settled. Such a request is kept for as long as a producer may be silent, see `run-end.ts`.
 */
const ASK_FOR_LOOK_MS = 30_000;

/** What to send; its first `sent` images, in `messages` messages, are on the queue already from an earlier try. */
export type EnqueuePlan = Omit<JobDescription, 'v' | 'state' | 'updatedAt'>;

/** The job was purged, or purged and enqueued again, while this run was being enqueued. */
export class RunEndedError extends UserError {
  override readonly name = 'RunEndedError';
}

/** The plan of a new run, of which nothing was sent yet. */
export function newJob(
  job: Pick<
    EnqueuePlan,
    'job' | 'source' | 'sourceDigest' | 'perMessage' | 'images' | 'maxFailureRate' | 'maxCostUsd' | 'notify' | 'notIn'
  >,
): EnqueuePlan {
  return { ...job, run: newRun(), sent: 0, messages: 0, startedAt: new Date().toISOString() };
}

/** The plan of a job that resumes an earlier try: with its progress, and its options where this try has none. */
export function resumedFrom(before: JobDescription | undefined, plan: EnqueuePlan): EnqueuePlan {
  if (before === undefined) return plan;
  const { run, sent, messages, startedAt, maxFailureRate, maxCostUsd, notify } = before;
  const { run: _unused, ...planned } = plan;
  const options = {
    ...(maxFailureRate !== undefined && { maxFailureRate }),
    ...(maxCostUsd !== undefined && { maxCostUsd }),
    ...(notify !== undefined && { notify }),
  };
  return { ...options, ...planned, ...runField(run), sent, messages, startedAt };
}

/** An earlier try of a job, and whether it was cancelled: workers drop all its messages then. */
export type EarlierTry = { description: JobDescription; cancelled: boolean };

/** Undefined for a job without an earlier try. */
export async function readEarlierTry(target: JobTarget, job: string): Promise<EarlierTry | undefined> {
  const description = await readJob(target, job);
  return description && { description, cancelled: await isCancelled(target, description) };
}

/**
 * Why a job cannot be enqueued under its name; undefined when it can.
 *
 * @param earlier the earlier try, if any
 * @param sourceDigest of the images to send now
 * @param resume whether the producer intends to resume the earlier try
 * @param otherWays for the message: what the producer can do instead of choosing another name
 */
export function resumeProblem(
  earlier: EarlierTry | undefined,
  sourceDigest: string,
  resume: boolean,
  otherWays: string,
): string | undefined {
  if (earlier === undefined) return undefined;
  const { description: before, cancelled } = earlier;
  if (cancelled) return `the job ${before.job} was cancelled: purge it first, then enqueue it again`;
  if (!resume) return `the job ${before.job} exists already: choose another name, ${otherWays}`;
  if (before.sourceDigest === sourceDigest) return undefined;
  return `the job ${before.job} was started with other images: it can only be resumed with the same source`;
}

/**
 * Sends images to the queue, and keeps `jobs/<job>/job.json` up to date. Reads no further ahead than it sends.
 *
 * @param images all images of the job, in the same order in every try
 * @param onProgress called with the number of images that are certainly on the queue
 * @throws {SendError} when SQS rejects a message; what was sent stays sent, and the plan can be resumed with `sent` of
 *   `job.json`
 * @throws {RunEndedError} when the job was purged, or purged and enqueued again, meanwhile
 */
export async function enqueue(
  target: JobTarget,
  images: AsyncIterable<ImageRef>,
  plan: EnqueuePlan,
  onProgress: (images: number) => void = () => {},
): Promise<JobDescription> {
  const progress = new ContiguousProgress(plan.sent, plan.messages);
  const describe = (state: JobDescription['state']): JobDescription => {
    const { images: sent, messages } = progress;
    return { v: 1, ...plan, state, sent, messages, updatedAt: new Date().toISOString() };
  };
  let ended: RunEndedError | undefined;
  /** A purge or another producer may have replaced the run: their state must not be overwritten. */
  const update = async (description: JobDescription) => {
    ended ??= await whyEnded(target, plan);
    if (ended !== undefined) throw ended;
    await writeJob(target, description);
  };
  await writeJob(target, describe('enqueuing'));
  await writeNewestRun(target, plan);
  // An earlier try may have been announced as failed.
  if (plan.sent > 0 || target.jobEndQueueUrl !== undefined) await reopenEnd(target, plan);
  let askedAt = Number.NEGATIVE_INFINITY;
  const checkpoints = checkpointEvery(CHECKPOINT_MS, async () => {
    await update(describe('enqueuing'));
    if (performance.now() - askedAt < ASK_FOR_LOOK_MS) return;
    askedAt = performance.now();
    // A queue that does not respond must not make the producer look silent.
    void requestEndLookIfAnnounced(target, plan);
  });
  const idSum = new IdSum();
  const toSend = skip(recordOrder(target, plan, summed(images, idSum)), plan.sent);
  const envelope = { job: plan.job, ...runField(plan.run), attempt: 1 };
  const requests = rethrowSourceError(sendBatches(packMessages(envelope, toSend, plan.perMessage)));
  const inProgress = new Set<Promise<void>>();
  const send = async (messages: PackedMessage[], index: number) => {
    await sendBatch({ sqs: target.sqs, queueUrl: target.queueUrl, job: plan.job }, messages);
    progress.sent(index, messages);
    onProgress(progress.images);
  };
  try {
    await pMap(
      requests.items,
      async (messages, index) => {
        if (ended !== undefined) throw ended;
        const sending = send(messages, index);
        inProgress.add(sending);
        await sending.finally(() => inProgress.delete(sending));
      },
      { concurrency: SENDS_AT_ONCE },
    );
    requests.rethrow();
  } catch (error) {
    await checkpoints.stop();
    // Requests in progress may still succeed: once counted, they are not sent a second time.
    await Promise.allSettled(inProgress);
    // The first error is the one to report; without this update the job shows as failed a minute later.
    await update(describe('failed')).catch(() => undefined);
    await requestEndLookIfAnnounced(target, plan);
    throw error;
  }
  await checkpoints.stop();
  const enqueued = { ...describe('enqueued'), idSum: idSum.toString() };
  await update(enqueued);
  // The last line may have been written before the job was known to be complete.
  await requestEndLookIfAnnounced(target, plan);
  return enqueued;
}

async function whyEnded(target: JobTarget, { job, run }: EnqueuePlan): Promise<RunEndedError | undefined> {
  const newest = await readJob(target, job);
  if (newest !== undefined && newest.run === run) return undefined;
  const what = newest === undefined ? 'purged' : 'purged and enqueued again';
  return new RunEndedError(`the job ${job} was ${what} while its images were being sent: they get no outcomes`);
}

/**
 * p-map reads several items concurrently. When the source fails, one read gets the error and the others find the source at
 * its end; p-map may see the end first and consider the job done.
 */
function rethrowSourceError<Item>(source: AsyncIterable<Item>): { items: AsyncIterable<Item>; rethrow(): void } {
  let failure: { error: unknown } | undefined;
  async function* items(): AsyncGenerator<Item> {
    try {
      yield* source;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  return {
    items: items(),
    rethrow() {
      if (failure !== undefined) throw failure.error;
    },
  };
}

/** Adds the ids to the sum, including those that an earlier try has sent. */
async function* summed(images: AsyncIterable<ImageRef>, idSum: IdSum): AsyncGenerator<ImageRef> {
  for await (const image of images) {
    idSum.add(image.id);
    yield image;
  }
}

async function* skip<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item> {
  let index = 0;
  for await (const item of items) if (index++ >= count) yield item;
}

/** Writes periodically and sequentially; a write that fails is made up for by the next. */
function checkpointEvery(milliseconds: number, write: () => Promise<void>): { stop(): Promise<void> } {
  let writing = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(write).catch(() => undefined);
  }, milliseconds);
  return {
    async stop() {
      clearInterval(timer);
      await writing;
    },
  };
}
