import type { ErrorCode } from '../contract/error-codes.ts';
import type { JobDescription } from '../contract/job-description.ts';
import type { EndState, JobEnd } from '../contract/job-end.ts';
import { CANCELLATION_CHECK_MS, FUNCTION_TIMEOUT_SECONDS } from '../contract/limits.ts';
import { runPartPrefix } from '../contract/object-keys.ts';
import { costSoFar } from '../cost.ts';
import type { NamedRun } from './end-look.ts';
import { runState, STALE_AFTER_MS } from './job-status.ts';
import { cancelledAt, readJob } from './job-store.ts';
import type { JobTarget } from './job-target.ts';
import { lacksOutcomes } from './lacking-outcomes.ts';
import type { OutcomeCounter, OutcomeCounts } from './outcome-counter.ts';
import { PartTally } from './part-tally.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** What there is to know of an end but its name. */
export type FoundEnd = Omit<JobEnd, 'v' | 'id' | 'generation'>;

/** What a look at a run has found. */
export type RunLook =
  | { kind: 'ended'; end: FoundEnd }
  /** Outcomes are missing, and whoever brings the next one asks for another look; or it is not the newest run any more. */
  | { kind: 'goes on' }
  /** It may end without another outcome. `mostSeconds` is how old this request for a look may get meanwhile. */
  | { kind: 'look again'; inSeconds: number; mostSeconds: number };

/** What a look depends on. */
export type RunLookOptions = {
  now: Date;
  /** Remembers what it has read from one look to the next. */
  counter: OutcomeCounter;
  /** Ends the listing of files and the reading of ids; the next look goes on with the ids. */
  signal: AbortSignal;
};

/** An image that is being fetched and classified when its run is cancelled still gets its line. */
const CANCELLED_WORK_MS = CANCELLATION_CHECK_MS + 5_000;
/** How often a run is looked at whose producer has not said yet that it has sent everything. */
const PRODUCER_LOOK_SECONDS = 10;
/**
 * Longer than a producer may be silent before it counts as gone, even for the last request that it has made: it makes one
 * each 30 s.
 */
const PRODUCER_GONE_SECONDS = STALE_AFTER_MS / 1_000 + 60;
/** A count that was not finished is gone on with at once, and for as long as the queue delivers this look. */
const UNFINISHED_COUNT_SECONDS = 5;
/** This one is written before its image is worked on for the last time, in case that its worker dies of it. */
const FORETOLD: ErrorCode = 'worker_crashed';

/** Looks whether a run has ended: from names of files, and ids only where those do not prove it. */
export async function lookAtRun(bucket: Bucket, of: NamedRun, options: RunLookOptions): Promise<RunLook> {
  const description = await readJob(bucket, of.job);
  if (description?.run !== of.run) return GOES_ON;
  const stoppedAt = await cancelledAt(bucket, of);
  if (stoppedAt !== undefined) return cancelledRun({ bucket, of, description, options }, stoppedAt);
  if (await lacksOutcomes(bucket, of, description.sent)) return GOES_ON;
  return countedRun({ bucket, of, description, options });
}

const GOES_ON: RunLook = { kind: 'goes on' };

/** Whether the producer of a run that was found failed has been at work since. */
export async function hasGoneOn(
  bucket: Bucket,
  of: NamedRun,
  { end, now }: { end: Pick<JobEnd, 'state' | 'images'>; now: Date },
): Promise<boolean> {
  if (end.state !== 'failed') return false;
  const description = await readJob(bucket, of.job);
  if (description?.run !== of.run) return false;
  const state = runState(description, { cancelled: false, isComplete: false, failed: 0 }, now);
  return state !== 'failed while enqueuing' || description.sent > end.images;
}

type Look = { bucket: Bucket; of: NamedRun; description: JobDescription; options: RunLookOptions };

function lookAgainIn(inSeconds: number, mostSeconds: number = Number.POSITIVE_INFINITY): RunLook {
  return { kind: 'look again', inSeconds: Math.max(1, Math.ceil(inSeconds)), mostSeconds };
}

async function cancelledRun(look: Look, stoppedAt: Date): Promise<RunLook> {
  const leftMs = stoppedAt.getTime() + CANCELLED_WORK_MS - look.options.now.getTime();
  if (leftMs > 0) return lookAgainIn(leftMs / 1_000);
  const counted = await count(look);
  return counted === undefined ? lookAgainIn(UNFINISHED_COUNT_SECONDS) : ended(look, 'cancelled', counted);
}

async function countedRun(look: Look): Promise<RunLook> {
  const { description, options } = look;
  const counted = await count(look);
  if (counted === undefined) return lookAgainIn(UNFINISHED_COUNT_SECONDS);
  const settled = counted.counts.classified + counted.counts.failed;
  const isComplete = counted.counts.exact && settled >= description.sent;
  const state = runState(description, { cancelled: false, isComplete, failed: counted.counts.failed }, options.now);
  // Nobody brings another outcome: the producer says that this was all, or is gone.
  if (state === 'enqueuing') return lookAgainIn(PRODUCER_LOOK_SECONDS, PRODUCER_GONE_SECONDS);
  if (state === 'failed while enqueuing') return ended(look, 'failed', counted);
  if (state !== 'completed' && state !== 'completed with failures') return GOES_ON;
  const foretoldMs = await foretoldFor(counted.tally, options.now);
  return foretoldMs > 0 ? lookAgainIn(foretoldMs / 1_000) : ended(look, state, counted);
}

type Counted = { tally: PartTally; counts: OutcomeCounts };

/** Undefined when there was no time to come to an end. */
async function count({ bucket, of, description, options }: Look): Promise<Counted | undefined> {
  const tally = await PartTally.of(bucket, of, options.signal);
  if (!tally.isWhole) return undefined;
  const counts = await options.counter.count(description, tally, options.signal);
  return options.signal.aborted && !counts.exact ? undefined : { tally, counts };
}

/** For how many milliseconds a worker may still be at work on an image whose failure was written ahead. */
async function foretoldFor(tally: PartTally, now: Date): Promise<number> {
  if (!tally.failures.codes.has(FORETOLD)) return 0;
  let latest = 0;
  await tally.again(({ part }) => {
    if (part.codes.has(FORETOLD)) latest = Math.max(latest, part.writtenAt.getTime());
  });
  return latest + FUNCTION_TIMEOUT_SECONDS * 1_000 - now.getTime();
}

function ended({ bucket, of, description, options }: Look, state: EndState, { tally, counts }: Counted): RunLook {
  const { classified, failed, failedByCode } = counts;
  const settled = classified + failed;
  const end: FoundEnd = {
    ...of,
    state,
    images: description.sent,
    classified,
    failed,
    failedByCode,
    withoutOutcome: Math.max(0, description.sent - settled),
    costUsd: costSoFar(settled, description.perMessage, tally.time.usd).totalUsd,
    computing: tally.time.computing,
    startedAt: description.startedAt,
    endedAt: (tally.pace.lastAt ?? options.now).toISOString(),
    bucket: bucket.resultsBucket,
    results: folderOf('results', of),
    failures: folderOf('failures', of),
  };
  return { kind: 'ended', end };
}

/** Its part files are all that lies there. */
function folderOf(kind: 'results' | 'failures', of: NamedRun): string {
  return runPartPrefix(kind, of).replace(/part-$/, '');
}
