import { type JobRun, runName } from '../../shared/contract/job-run.ts';
import { SWEEP_MAX_HIDDEN, SWEEP_RECEIVERS } from '../../shared/contract/limits.ts';
import type { QueueMessage } from '../../shared/contract/message.ts';
import { partKey, readPartName, runPartPrefix } from '../../shared/contract/object-keys.ts';
import { type DeadLetter, scanDeadLetters } from '../../shared/jobs/dead-letters.ts';
import { requireEndLook } from '../../shared/jobs/end-look.ts';
import { writeFailureLines } from '../../shared/jobs/failure-files.ts';
import { FirstError } from '../../shared/jobs/first-error.ts';
import { queueDepths } from '../../shared/jobs/job-status.ts';
import { isCancelled, readJob, UnreadableJobError } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { listObjects } from '../../shared/jobs/list-objects.ts';
import { MissingFailures, movedLines } from '../../shared/jobs/missing-failures.ts';
import { movedMessage } from '../../shared/jobs/moved-messages.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { hasStalled, isStranded, type StrandedOptions, strandedAfterMs } from './stranded-run.ts';

/** The result of a sweep. */
export type Swept = {
  /** Messages of the DLQ that were looked at. */
  letters: number;
  /** Messages of the DLQ that were not looked at, for lack of time or because others hid them; approximate. */
  notLookedAt: number;
  /** Images for which a failure was written. */
  images: number;
  /** The runs of these images; a look at the end of each was requested. */
  runs: number;
};

/**
 * Writes the missing failures of messages that AWS itself moved to the DLQ, for all stranded runs; the messages stay in the DLQ
 * for `redrive`. A sweep may be interrupted, and may run concurrently with another: the same lines go to the same keys.
 *
 * @param signal ends the sweep: lines in progress are written, and messages are made visible again
 * @throws the first error, once all other messages were looked at and all looks were requested: the next sweep would find
 *   nothing to write for these runs, and not request them
 */
export async function sweep(target: JobTarget, now: Date, signal: AbortSignal): Promise<Swept> {
  const { deadLetters, waiting, inFlight, retrying } = await queueDepths(target);
  if (deadLetters === 0) return { letters: 0, notLookedAt: 0, images: 0, runs: 0 };
  const counter = new OutcomeCounter(target);
  using run = new SweepRun(target, { now, counter, signal, isQueueEmpty: waiting + inFlight + retrying === 0 });
  const errors = new FirstError();
  const look = async (letter: DeadLetter) => {
    if (!signal.aborted) await errors.keep(run.take(letter));
    return false;
  };
  const options = { signal, receivers: SWEEP_RECEIVERS, maxHidden: SWEEP_MAX_HIDDEN };
  const scan = await errors.keep(scanDeadLetters(target, look, options));
  const found = await run.finish(errors);
  errors.throwIfAny();
  return { letters: scan?.lookedAt ?? 0, notLookedAt: scan?.notLookedAt ?? 0, ...found };
}

/** A stranded run and its missing failures. */
type OfRun = { of: JobRun; missing: MissingFailures };

class SweepRun implements Disposable {
  readonly #target: JobTarget;
  readonly #options: StrandedOptions;
  /** Undefined for runs that are not stranded. */
  readonly #runs = new Map<string, Promise<OfRun | undefined>>();
  readonly #known = new Map<string, Promise<boolean>>();
  readonly #began: OfRun[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #withoutRun = 0;

  constructor(target: JobTarget, options: StrandedOptions) {
    this.#target = target;
    this.#options = options;
  }

  async take(letter: DeadLetter): Promise<void> {
    const message = movedMessage(letter);
    // A recent message may still be processed by a worker that received it.
    if (message === undefined || !this.#isOld(letter)) return;
    const { job, run } = message;
    const found = await remembered(this.#runs, runName({ job, run }), () => this.#beginInTurn({ job, run }));
    if (found !== undefined) return found.missing.write(message);
    if (run === undefined && (await this.#isOfNoRun(job))) await this.#takeAlone(message);
  }

  /** Requests a look at the end of each run for which failures were written: they may be its last lines. */
  async finish(errors: FirstError): Promise<Pick<Swept, 'images' | 'runs'>> {
    const written = this.#began.filter(({ missing }) => missing.images > 0);
    for (const { of } of written) await errors.keep(requireEndLook(this.#target, of));
    const images = written.reduce((sum, { missing }) => sum + missing.images, this.#withoutRun);
    return { images, runs: written.length };
  }

  #isOld({ sentAt }: DeadLetter): boolean {
    return sentAt.getTime() <= this.#options.now.getTime() - strandedAfterMs(this.#options);
  }

  /** Sequential: the counter remembers the ids of one run at a time. */
  #beginInTurn(of: JobRun): Promise<OfRun | undefined> {
    const begun = this.#last.then(() => this.#begin(of)).catch(undefinedIfUnreadable);
    this.#last = begun.catch(() => undefined);
    return begun;
  }

  async #begin(of: JobRun): Promise<OfRun | undefined> {
    const { now, signal } = this.#options;
    if (!(await isStranded(this.#target, of, this.#options))) return undefined;
    const begun = { of, missing: new MissingFailures(this.#target, of, { now, signal }) };
    this.#began.push(begun);
    if ((await begun.missing.read()) === undefined) return undefined;
    // A redrive that started meanwhile may have removed failures before they were read.
    return (await hasStalled(this.#target, of, 0, this.#options)) ? begun : undefined;
  }

  /** Whether a job's messages without a run come from another producer, so that its number of images is unknown. */
  async #isOfNoRun(job: string): Promise<boolean> {
    return remembered(this.#known, job, async () => {
      const of = { job };
      const description = await readJob(this.#target, job).catch(undefinedIfUnreadable);
      if (description !== undefined && description.run === undefined) return false;
      return !(await isCancelled(this.#target, of)) && hasStalled(this.#target, of, 0, this.#options);
    });
  }

  /** Such a job may have any number of failures, so they are not read: the same images have the same digest. */
  async #takeAlone(message: QueueMessage): Promise<void> {
    const { s3, resultsBucket } = this.#target;
    const of = { job: message.job };
    const lines = movedLines(message, message.images, this.#options.now);
    const key = partKey('failures', of, lines);
    const sameImages = `${runPartPrefix('failures', of)}${readPartName(key)?.digest}`;
    for await (const _there of listObjects(s3, resultsBucket, sameImages)) return;
    await writeFailureLines(this.#target, key, lines);
    this.#withoutRun += lines.length;
  }

  [Symbol.dispose](): void {
    for (const { missing } of this.#began) missing[Symbol.dispose]();
  }
}

/** A damaged `job.json` must not stop the sweep for other jobs. */
function undefinedIfUnreadable(error: unknown): undefined {
  if (error instanceof UnreadableJobError) return undefined;
  throw error;
}

function remembered<Found>(known: Map<string, Promise<Found>>, key: string, find: () => Promise<Found>) {
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}
