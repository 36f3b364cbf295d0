import type { ErrorCode } from '../contract/error-codes.ts';
import type { JobDescription } from '../contract/job-description.ts';
import type { EndState, JobEnd } from '../contract/job-end.ts';
import { CANCELLED_WORK_MS, FUNCTION_TIMEOUT_SECONDS } from '../contract/limits.ts';
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

/** The end of a run, without the fields that identify its announcement. */
export type FoundEnd = Omit<JobEnd, 'v' | 'id' | 'generation'>;

/** The result of a look at a run. */
export type RunLook =
  | { kind: 'ended'; end: FoundEnd }
  /** Outcomes are missing, and the writer of the next one requests another look; or it is no longer the newest run. */
  | { kind: 'goes on' }
  /** It may end without another outcome. `maxSeconds` is the maximum age of this request for a look. */
  | { kind: 'look again'; inSeconds: number; maxSeconds: number };

/** What a look depends on. */
export type RunLookOptions = {
  now: Date;
  /** Remembers what it has read for the next look. */
  counter: OutcomeCounter;
  /** Ends the listing of files and the reading of ids; the next look continues with the ids. */
  signal: AbortSignal;
};

/** Interval of looks at a run whose producer has not finished sending. */
const PRODUCER_LOOK_SECONDS = 10;
/**
 * Longer than a producer may be silent before it counts as dead, counted from its last request: it makes one every 30 s.
 */
const PRODUCER_GONE_SECONDS = STALE_AFTER_MS / 1_000 + 60;
/** An unfinished count is continued soon, for as long as the queue delivers this look. */
const UNFINISHED_COUNT_SECONDS = 5;
/** Written before an image is processed for the last time, in case its worker crashes. */
const WRITTEN_AHEAD: ErrorCode = 'worker_crashed';

/** Determines whether a run has ended: by the names of its part files, and by ids only where those do not prove it. */
export async function lookAtRun(bucket: Bucket, of: NamedRun, options: RunLookOptions): Promise<RunLook> {
  const description = await readJob(bucket, of.job);
  if (description?.run !== of.run) return GOES_ON;
  const stoppedAt = await cancelledAt(bucket, of);
  if (stoppedAt !== undefined) return cancelledRun({ bucket, of, description, options }, stoppedAt);
  if (await lacksOutcomes(bucket, of, description.sent)) return GOES_ON;
  return countedRun({ bucket, of, description, options });
}

const GOES_ON: RunLook = { kind: 'goes on' };

/** Whether the producer of a run that ended as failed has continued since. */
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

function lookAgainIn(inSeconds: number, maxSeconds: number = Number.POSITIVE_INFINITY): RunLook {
  return { kind: 'look again', inSeconds: Math.max(1, Math.ceil(inSeconds)), maxSeconds };
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
  // No other outcome follows: the producer either finishes without new images, or is dead.
  if (state === 'enqueuing') return lookAgainIn(PRODUCER_LOOK_SECONDS, PRODUCER_GONE_SECONDS);
  if (state === 'failed while enqueuing') return ended(look, 'failed', counted);
  if (state !== 'completed' && state !== 'completed with failures') return GOES_ON;
  const waitMs = await writtenAheadMs(counted.tally, options.now);
  return waitMs > 0 ? lookAgainIn(waitMs / 1_000) : ended(look, state, counted);
}

type Counted = { tally: PartTally; counts: OutcomeCounts };

/** Undefined when the signal ended the count. */
async function count({ bucket, of, description, options }: Look): Promise<Counted | undefined> {
  const tally = await PartTally.of(bucket, of, options.signal);
  if (!tally.isWhole) return undefined;
  const counts = await options.counter.count(description, tally, options.signal);
  return options.signal.aborted && !counts.exact ? undefined : { tally, counts };
}

/** For how many milliseconds a worker may still process an image whose failure was written ahead. */
async function writtenAheadMs(tally: PartTally, now: Date): Promise<number> {
  if (!tally.failures.codes.has(WRITTEN_AHEAD)) return 0;
  let latest = 0;
  await tally.again(({ part }) => {
    if (part.codes.has(WRITTEN_AHEAD)) latest = Math.max(latest, part.writtenAt.getTime());
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
    costUsd: costSoFar(settled, description.perMessage, tally.time.cost()).totalUsd,
    computing: tally.time.computing,
    startedAt: description.startedAt,
    endedAt: (tally.pace.lastAt ?? options.now).toISOString(),
    bucket: bucket.resultsBucket,
    results: folderOf('results', of),
    failures: folderOf('failures', of),
  };
  return { kind: 'ended', end };
}

/** The prefix that holds only its part files. */
function folderOf(kind: 'results' | 'failures', of: NamedRun): string {
  return runPartPrefix(kind, of).replace(/part-$/, '');
}
