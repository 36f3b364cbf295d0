import { type JobRun, runName } from '../../shared/contract/job-run.ts';
import { SWEEP_MOST_HIDDEN, SWEEP_RECEIVERS } from '../../shared/contract/limits.ts';
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
import { isStranded, type StrandedOptions, standsStill, strandedAfterMs } from './stranded-run.ts';

/** What a sweep has found. */
export type Swept = {
  /** Letters of the DLQ, all that were looked at. */
  letters: number;
  /** In the DLQ and not looked at, since the time was up or others had hidden them; approximately. */
  notLookedAt: number;
  /** Of which a failure was written. */
  images: number;
  /** Of these images: each was asked for a look at its end. */
  runs: number;
};

/**
 * Writes the failures that are missing of messages that AWS moved to the DLQ by itself, of all runs that stand still; their
 * letters stay for `redrive`. A sweep that is ended early, or that works beside another one, does no harm: the same lines
 * go to the same keys.
 *
 * @param signal ends it: what it has in hand is written, and the letters are made visible again
 * @throws the first error, once all other letters were looked at and all looks were requested: the next sweep finds nothing to
 * write for these runs, so it would not request them
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
  const options = { signal, receivers: SWEEP_RECEIVERS, maxHidden: SWEEP_MOST_HIDDEN };
  const scan = await errors.keep(scanDeadLetters(target, look, options));
  const found = await run.finish(errors);
  errors.throwIfAny();
  return { letters: scan?.lookedAt ?? 0, notLookedAt: scan?.notLookedAt ?? 0, ...found };
}

/** The failures of a run that stands still. */
type OfRun = { of: JobRun; missing: MissingFailures };

class SweepRun implements Disposable {
  readonly #target: JobTarget;
  readonly #options: StrandedOptions;
  /** Undefined for those that go on. */
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
    // One that was sent a moment ago may have been received by a worker that is at work on it.
    if (message === undefined || !this.#isOld(letter)) return;
    const { job, run } = message;
    const found = await remembered(this.#runs, runName({ job, run }), () => this.#beginInTurn({ job, run }));
    if (found !== undefined) return found.missing.write(message);
    if (run === undefined && (await this.#isOfNoRun(job))) await this.#takeAlone(message);
  }

  /** Requests a look at the end of each run of which a failure was written: it may have been the last line. */
  async finish(errors: FirstError): Promise<Pick<Swept, 'images' | 'runs'>> {
    const written = this.#began.filter(({ missing }) => missing.images > 0);
    for (const { of } of written) await errors.keep(requireEndLook(this.#target, of));
    const images = written.reduce((sum, { missing }) => sum + missing.images, this.#withoutRun);
    return { images, runs: written.length };
  }

  #isOld({ sentAt }: DeadLetter): boolean {
    return sentAt.getTime() <= this.#options.now.getTime() - strandedAfterMs(this.#options);
  }

  /** One after the other: the counter remembers the ids of one run at a time. */
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
    // A redrive that has begun since may have taken failures away before they were read.
    return (await standsStill(this.#target, of, 0, this.#options)) ? begun : undefined;
  }

  /** Whether a job's messages without a run come from another producer: how many images it has is not known. */
  async #isOfNoRun(job: string): Promise<boolean> {
    return remembered(this.#known, job, async () => {
      const of = { job };
      const description = await readJob(this.#target, job).catch(undefinedIfUnreadable);
      if (description !== undefined && description.run === undefined) return false;
      return !(await isCancelled(this.#target, of)) && standsStill(this.#target, of, 0, this.#options);
    });
  }

  /** A job without an end may have failures without end, so they are not read: the same images have the same digest. */
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

/** A description that somebody has damaged holds up no other job. */
function undefinedIfUnreadable(error: unknown): undefined {
  if (error instanceof UnreadableJobError) return undefined;
  throw error;
}

function remembered<Found>(known: Map<string, Promise<Found>>, key: string, find: () => Promise<Found>) {
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}
