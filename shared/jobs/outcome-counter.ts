import { NoSuchKey } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import type { JobDescription } from '../contract/job-description.ts';
import { runName } from '../contract/job-run.ts';
import type { FailureLine, ResultLine } from '../contract/result-line.ts';
import { IdSet } from './id-set.ts';
import type { JobTarget } from './job-target.ts';
import { type Part, totalLines } from './list-parts.ts';
import { type PartsOfJob, provenParts } from './proven-counts.ts';
import { partLines } from './read-outcomes.ts';

/** Images with an outcome. */
export type OutcomeCounts = {
  classified: number;
  failed: number;
  failedByCode: Record<string, number>;
  /** Each image is counted once; otherwise these are upper bounds, since a repeated image may be counted twice. */
  exact: boolean;
};

/** As for an export: one connection to S3 is slower than reading. */
const READS_AT_ONCE = 16;

/** What counts of a line. */
type Outcome = { id: string; code: string | undefined };

/** What was read of a job. Result files are only ever added, so their ids are read once. */
type Memory = {
  jobBegan: string;
  readResults: Set<string>;
  resultIds: IdSet;
  failures: string;
  counts?: OutcomeCounts;
};

/**
 * Counts the outcomes of a job, each image once. As long as the files of a job hold fewer lines than it has images, and
 * when the sums in their names prove that it is complete, that takes no more than their names. Otherwise
 * the ids are read; what was read is remembered from one count to the next.
 */
export class OutcomeCounter {
  readonly #target: JobTarget;
  #memory: Memory | undefined;

  constructor(target: JobTarget) {
    this.#target = target;
  }

  /**
   * @param listed the part files, those that a later file of the same images replaces left out
   * @param signal ends the reading; the next count goes on where it was
   */
  async count(description: JobDescription, listed: PartsOfJob, signal?: AbortSignal): Promise<OutcomeCounts> {
    const parts = withoutOverruled(listed);
    const { state, sent, idSum } = description;
    const bounds = countsOf(parts, false);
    if (state !== 'enqueued' || bounds.classified + bounds.failed < sent) return bounds;
    const proven = idSum === undefined ? undefined : provenParts(parts, { images: sent, idSum });
    if (proven !== undefined) return countsOf(proven, true);
    return (await this.#read(description, parts, signal)) ?? bounds;
  }

  /** Undefined when there was not enough time. */
  async #read(
    { job, run, startedAt }: JobDescription,
    { results, failures }: PartsOfJob,
    signal: AbortSignal | undefined,
  ): Promise<OutcomeCounts | undefined> {
    const memory = this.#memoryOf(`${runName({ job, run })} ${startedAt}`);
    const unread = results.filter(({ digest }) => !memory.readResults.has(digest));
    const failuresNow = JSON.stringify(failures.map(({ key, writtenAt }) => [key, writtenAt]));
    if (unread.length === 0 && failuresNow === memory.failures && memory.counts !== undefined) return memory.counts;
    const isDone = await this.#forEachPart(unread, signal, ({ digest }, outcomes) => {
      for (const { id } of outcomes) memory.resultIds.add(id);
      memory.readResults.add(digest);
    });
    if (!isDone) return undefined;
    const failed = await this.#countFailures(failures, memory.resultIds, signal);
    if (failed === undefined) return undefined;
    memory.failures = failuresNow;
    memory.counts = { classified: memory.resultIds.size, ...failed, exact: true };
    return memory.counts;
  }

  /** The latest failure of an image is the one that counts, as for other readers. */
  async #countFailures(failures: readonly Part[], results: IdSet, signal: AbortSignal | undefined) {
    using seen = new IdSet();
    const byCode = new Map<string, number>();
    const latestFirst = failures.toSorted((one, other) => other.writtenAt.getTime() - one.writtenAt.getTime());
    const isDone = await this.#forEachPart(latestFirst, signal, (_part, outcomes) => {
      for (const { id, code = '' } of outcomes) {
        if (!results.has(id) && seen.add(id)) byCode.set(code, (byCode.get(code) ?? 0) + 1);
      }
    });
    return isDone ? { failed: seen.size, failedByCode: Object.fromEntries(byCode) } : undefined;
  }

  /** Reads ahead, and hands on in order. */
  async #forEachPart(
    parts: readonly Part[],
    signal: AbortSignal | undefined,
    take: (part: Part, outcomes: Outcome[]) => void,
  ): Promise<boolean> {
    for (let start = 0; start < parts.length; start += READS_AT_ONCE) {
      if (signal?.aborted) return false;
      const some = parts.slice(start, start + READS_AT_ONCE);
      const outcomes = await pMap(some, ({ key }) => this.#outcomesIn(key), { concurrency: READS_AT_ONCE });
      for (const [index, part] of some.entries()) take(part, outcomes[index] ?? []);
    }
    return true;
  }

  /** None when the file is gone since it was listed: a redrive takes failures away. */
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

  /** Of the job that was asked for last; a purged job may begin again under its name. */
  #memoryOf(jobBegan: string): Memory {
    if (this.#memory?.jobBegan !== jobBegan) {
      this.#memory?.resultIds[Symbol.dispose]();
      this.#memory = { jobBegan, readResults: new Set(), resultIds: new IdSet(), failures: '' };
    }
    return this.#memory;
  }
}

/** A failure file with just the images of a result file: each of them was made good. */
function withoutOverruled({ results, failures }: PartsOfJob): PartsOfJob {
  const classified = new Set(results.map(({ digest }) => digest));
  return { results, failures: failures.filter(({ digest }) => !classified.has(digest)) };
}

function countsOf({ results, failures }: PartsOfJob, exact: boolean): OutcomeCounts {
  const byCode = new Map<string, number>();
  for (const { codes } of failures) {
    for (const [code, lines] of codes) byCode.set(code, (byCode.get(code) ?? 0) + lines);
  }
  return {
    classified: totalLines(results),
    failed: totalLines(failures),
    failedByCode: Object.fromEntries(byCode),
    exact,
  };
}
