import { NoSuchKey } from '@aws-sdk/client-s3';
import { pMapIterable } from 'p-map';
import type { JobDescription } from '../contract/job-description.ts';
import { runName } from '../contract/job-run.ts';
import type { FailureLine, ResultLine } from '../contract/result-line.ts';
import { IdSet } from './id-set.ts';
import type { JobTarget } from './job-target.ts';
import type { Part } from './list-parts.ts';
import type { PartTally } from './part-tally.ts';
import { provenSurplus, type Surplus } from './proven-counts.ts';
import { partLines } from './read-outcomes.ts';

/** Images with an outcome. */
export type OutcomeCounts = {
  classified: number;
  failed: number;
  failedByCode: Record<string, number>;
  /** Whether each image is counted once; otherwise these are upper bounds, since an image may be counted twice. */
  exact: boolean;
};

/** As for an export: a single connection to S3 is slower than the reader. */
const READS_AT_ONCE = 16;

/** Maximum number of failure files sorted by time: tens of megabytes of names. */
const MAX_SORTED = 100_000;

/** The fields of a line that are counted. */
type Outcome = { id: string; code: string | undefined };

/** What was read of a job. Result files are only added, so their ids are read once. */
type Memory = {
  jobBegan: string;
  /** Digests. */
  readResults: IdSet;
  resultIds: IdSet;
  /** The version of the files that were counted. */
  version: string;
  counts?: OutcomeCounts;
};

/**
 * Counts the outcomes of a job, each image once. As long as the part files hold fewer lines than the job has images, and when
 * the sums in their names prove that the job is complete, the names suffice. Otherwise ids are read, and 12 to 24 bytes are
 * kept per image and file; what was read is remembered for the next count.
 */
export class OutcomeCounter {
  readonly #target: Pick<JobTarget, 's3' | 'resultsBucket'>;
  #memory: Memory | undefined;

  constructor(target: Pick<JobTarget, 's3' | 'resultsBucket'>) {
    this.#target = target;
  }

  /**
   * @param tally of all part files
   * @param signal ends the reading; the next count continues from there
   */
  async count(description: JobDescription, tally: PartTally, signal?: AbortSignal): Promise<OutcomeCounts> {
    const bounds = boundsOf(tally);
    const { state, sent, idSum } = description;
    if (state !== 'enqueued' || tally.lines < sent) return bounds;
    const surplus = idSum === undefined ? undefined : await provenSurplus(tally, { images: sent, idSum });
    if (surplus !== undefined) return without(surplus, tally);
    return (await this.#read(description, tally, signal)) ?? bounds;
  }

  /** Undefined when the signal ended it. */
  async #read(
    { job, run, startedAt }: JobDescription,
    tally: PartTally,
    signal: AbortSignal | undefined,
  ): Promise<OutcomeCounts | undefined> {
    const memory = this.#memoryOf(`${runName({ job, run })} ${startedAt}`);
    if (memory.version === tally.version && memory.counts !== undefined) return memory.counts;
    const isDone = await this.#forEachPart(unread(tally, memory), signal, ({ digest }, outcomes) => {
      for (const { id } of outcomes) memory.resultIds.add(id);
      memory.readResults.add(digest);
    });
    if (!isDone) return undefined;
    const failed = await this.#countFailures(tally, memory.resultIds, signal);
    if (failed === undefined) return undefined;
    memory.version = tally.version;
    memory.counts = { classified: memory.resultIds.size, ...failed, exact: true };
    return memory.counts;
  }

  /**
   * The latest failure of an image counts, as for other readers; with too many files to sort, any of them.
   */
  async #countFailures(tally: PartTally, results: IdSet, signal: AbortSignal | undefined) {
    using seen = new IdSet();
    const byCode = new Map<string, number>();
    const failures = tally.failures.parts > MAX_SORTED ? ofKind(tally, 'failures') : latestFirst(tally);
    const isDone = await this.#forEachPart(failures, signal, (_part, outcomes) => {
      for (const { id, code = '' } of outcomes) {
        if (!results.has(id) && seen.add(id)) byCode.set(code, (byCode.get(code) ?? 0) + 1);
      }
    });
    return isDone ? { failed: seen.size, failedByCode: Object.fromEntries(byCode) } : undefined;
  }

  /** Reads ahead, and passes parts on in order. */
  async #forEachPart(
    parts: AsyncIterable<Part>,
    signal: AbortSignal | undefined,
    take: (part: Part, outcomes: Outcome[]) => void,
  ): Promise<boolean> {
    if (signal?.aborted) return false;
    const read = async (part: Part) => ({ part, outcomes: await this.#outcomesIn(part.key) });
    for await (const { part, outcomes } of pMapIterable(parts, read, { concurrency: READS_AT_ONCE })) {
      take(part, outcomes);
      if (signal?.aborted) return false;
    }
    return true;
  }

  /** Empty when the file was deleted since it was listed: a redrive takes failures away. */
  async #outcomesIn(key: string): Promise<Outcome[]> {
    try {
      const lines = partLines<ResultLine | FailureLine>(this.#target, key);
      return await Array.fromAsync(lines, (line) => ({
        id: line.id,
        code: 'error' in line ? line.error.code : undefined,
      }));
    } catch (error) {
      if (error instanceof NoSuchKey) return [];
      throw error;
    }
  }

  /** The memory of the last job; a purged job may be enqueued again under its name. */
  #memoryOf(jobBegan: string): Memory {
    if (this.#memory?.jobBegan !== jobBegan) {
      this.#memory?.readResults[Symbol.dispose]();
      this.#memory?.resultIds[Symbol.dispose]();
      this.#memory = { jobBegan, readResults: new IdSet(), resultIds: new IdSet(), version: '' };
    }
    return this.#memory;
  }
}

async function* ofKind(tally: PartTally, wanted: 'results' | 'failures'): AsyncGenerator<Part> {
  for await (const { kind, part } of tally.inTurn()) if (kind === wanted) yield part;
}

async function* unread(tally: PartTally, { readResults }: Memory): AsyncGenerator<Part> {
  for await (const part of ofKind(tally, 'results')) if (!readResults.has(part.digest)) yield part;
}

async function* latestFirst(tally: PartTally): AsyncGenerator<Part> {
  const failures = await Array.fromAsync(ofKind(tally, 'failures'));
  yield* failures.sort((one, other) => other.writtenAt.getTime() - one.writtenAt.getTime());
}

/** The counts by the names of the files; for a tally of a share of them, an estimate for all. */
export function boundsOf({ results, failures, share }: PartTally): OutcomeCounts {
  const whole = (count: number) => Math.round(count / share);
  return {
    classified: whole(results.lines),
    failed: whole(failures.lines),
    failedByCode: Object.fromEntries(Array.from(failures.codes, ([code, lines]) => [code, whole(lines)])),
    exact: false,
  };
}

function without(surplus: Surplus, tally: PartTally): OutcomeCounts {
  const bounds = { ...boundsOf(tally), exact: true };
  if (surplus === 'nothing') return bounds;
  if (surplus === 'failures') return { ...bounds, failed: 0, failedByCode: {} };
  const { kind, part } = surplus;
  if (kind === 'results') return { ...bounds, classified: bounds.classified - part.lines };
  const codes = Array.from(
    tally.failures.codes,
    ([code, lines]) => [code, lines - (part.codes.get(code) ?? 0)] as const,
  );
  const failedByCode = Object.fromEntries(codes.filter(([, lines]) => lines > 0));
  return { ...bounds, failed: bounds.failed - part.lines, failedByCode };
}
