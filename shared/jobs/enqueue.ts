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

/** Requests to SQS at once; more does not make one producer faster. */
const SENDS_AT_ONCE = 8;
/** How often it is written down how far the job is: what an interruption may send twice. */
const CHECKPOINT_MS = 1_000;

/**
 * How often a look at the end is asked for meanwhile: a producer may be killed after everything that it had sent was
 * settled. Such a request is kept for as long as a producer may be silent, see `run-end.ts`.
 */
const ASK_FOR_LOOK_MS = 30_000;

/** What is to be sent; `sent` images of it, in `messages`, are on the queue already from an earlier try. */
export type EnqueuePlan = Omit<JobDescription, 'v' | 'state' | 'updatedAt'>;

/** The name of the job got another run, or none, while this one was being enqueued. */
export class RunEndedError extends UserError {
  override readonly name = 'RunEndedError';
}

/** The plan of a new run of a job, of which nothing was sent yet. */
export function newJob(
  job: Pick<
    EnqueuePlan,
    'job' | 'source' | 'sourceDigest' | 'perMessage' | 'images' | 'maxFailureRate' | 'maxCostUsd' | 'notify' | 'notIn'
  >,
): EnqueuePlan {
  return { ...job, run: newRun(), sent: 0, messages: 0, startedAt: new Date().toISOString() };
}

/** The plan of a job that goes on from an earlier try: what that has on the queue, and what it was told and this was not. */
export function resumedFrom(before: JobDescription | undefined, plan: EnqueuePlan): EnqueuePlan {
  if (before === undefined) return plan;
  const { run, sent, messages, startedAt, maxFailureRate, maxCostUsd, notify } = before;
  const { run: _unused, ...planned } = plan;
  const told = {
    ...(maxFailureRate !== undefined && { maxFailureRate }),
    ...(maxCostUsd !== undefined && { maxCostUsd }),
    ...(notify !== undefined && { notify }),
  };
  return { ...told, ...planned, ...runField(run), sent, messages, startedAt };
}

/** An earlier try of a job, and whether it was cancelled: workers drop what is sent of it from then on. */
export type EarlierTry = { description: JobDescription; cancelled: boolean };

/** Undefined for a job that was not begun before. */
export async function readEarlierTry(target: JobTarget, job: string): Promise<EarlierTry | undefined> {
  const description = await readJob(target, job);
  return description && { description, cancelled: await isCancelled(target, description) };
}

/**
 * Why a job cannot be enqueued under its name; undefined when it can.
 *
 * @param earlier what is known of the job, if it was begun before
 * @param sourceDigest of the images that are to be sent now
 * @param resume whether the producer knows of the earlier try, and means to go on with it
 * @param otherWays what a producer can do instead of choosing another name, for the message
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
  return `the job ${before.job} was begun with other images: it can be resumed with the same source only`;
}

/**
 * Sends images to the queue, and keeps `jobs/<job>/job.json` up to date meanwhile. Reads no further
 * ahead than it sends.
 *
 * @param images all of the job's, in the order of every other try
 * @param onProgress told how many images are on the queue for certain
 * @throws {SendError} when SQS does not take a message; what was sent before stays sent, and the plan
 *   can be carried on with `sent` as `job.json` then says
 * @throws {RunEndedError} when the job was purged meanwhile, or enqueued again: this run counts no more
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
  /** A purge and another producer may have come in between: what they did stays. */
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
    // A queue that does not answer must not make the producer look silent.
    void requestEndLookIfAnnounced(target, plan);
  });
  const idSum = new IdSum();
  const toSend = skip(recordOrder(target, plan, summed(images, idSum)), plan.sent);
  const envelope = { job: plan.job, ...runField(plan.run), attempt: 1 };
  const requests = rethrowSourceError(sendBatches(packMessages(envelope, toSend, plan.perMessage)));
  const underWay = new Set<Promise<void>>();
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
        underWay.add(sending);
        await sending.finally(() => underWay.delete(sending));
      },
      { concurrency: SENDS_AT_ONCE },
    );
    requests.rethrow();
  } catch (error) {
    await checkpoints.stop();
    // What is on its way is sent all the same: counted, it is not sent a second time.
    await Promise.allSettled(underWay);
    // The first error is the one to tell; without this note the job shows as failed a minute later.
    await update(describe('failed')).catch(() => undefined);
    await requestEndLookIfAnnounced(target, plan);
    throw error;
  }
  await checkpoints.stop();
  const enqueued = { ...describe('enqueued'), idSum: idSum.toString() };
  await update(enqueued);
  // Its last line may have been written before anybody knew that it was the last one.
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
 * p-map reads several items at once. When the source fails, one of these reads gets the error and the
 * others find the source at its end; p-map may see the end first, and take the job for done.
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

/** Those that an earlier try has sent are in the sum too. */
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

/** Writes again and again, one write after the other; a write that fails is made good by the next. */
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
