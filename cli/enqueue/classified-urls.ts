import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { type JobRun, runField } from '../../shared/contract/job-run.ts';
import type { ModelId, ResultLine } from '../../shared/contract/result-line.ts';
import { IdSet } from '../../shared/jobs/id-set.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { linesOf } from '../../shared/jobs/lines.ts';
import { allParts, type Part } from '../../shared/jobs/list-parts.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';

/** Parsing is faster than one connection to S3; each connection buffers what it has received. */
const READS_AT_ONCE = 4;

/** Which results count: those of these jobs, written up to this time, by this model if given. */
export type ClassifiedBefore = { jobs: readonly string[]; until?: Date | undefined; model?: ModelId | undefined };

/**
 * The URLs that jobs have classified. Two different URLs collide with a probability of 2^-64 per pair. As with `IdSet`,
 * several million are kept in memory and more in a temporary file, which the system removes with the process.
 */
export class ClassifiedUrls {
  readonly #urls = new IdSet();
  #until = new Date(0);

  /** The number of different URLs. */
  get size(): number {
    return this.#urls.size;
  }

  /** When the last of the results that count was written, by the clock of S3. */
  get until(): Date {
    return this.#until;
  }

  has(url: string): boolean {
    return this.#urls.has(url);
  }

  /**
   * Reads result files of the newest runs of jobs; the job itself need not be there.
   *
   * @param onProgress called with the number of lines read
   */
  static async read(
    target: JobTarget,
    { jobs, until, model }: ClassifiedBefore,
    onProgress: (lines: number) => void = () => {},
  ): Promise<ClassifiedUrls> {
    const found = new ClassifiedUrls();
    let lines = 0;
    const read = async (part: Part) => {
      const { Body } = await target.s3.send(new GetObjectCommand({ Bucket: target.resultsBucket, Key: part.key }));
      for await (const text of linesOf(Body as Readable)) {
        const line = JSON.parse(text) as ResultLine;
        if (model === undefined || isSameModel(line.model, model)) found.#urls.add(line.url);
        lines++;
      }
      onProgress(lines);
    };
    for (const job of jobs) {
      const of = { job, ...runField((await readJob(target, job))?.run) };
      await pMap(found.#counted(target, of, until), read, { concurrency: READS_AT_ONCE });
    }
    return found;
  }

  async *#counted(target: JobTarget, of: JobRun, until: Date | undefined): AsyncGenerator<Part> {
    for await (const part of allParts(target, 'results', of)) {
      if (until !== undefined && part.writtenAt > until) continue;
      if (part.writtenAt > this.#until) this.#until = part.writtenAt;
      yield part;
    }
  }
}

/** The same name and version; an 8-bit version counts as the model that it was made from. */
export function isSameModel(one: ModelId, other: ModelId): boolean {
  return one.name === other.name && withoutPrecision(one.version) === withoutPrecision(other.version);
}

function withoutPrecision(version: string): string {
  return version.replace(/-int8$/, '');
}

/**
 * The rows whose URL was not classified before; invalid rows are passed on.
 *
 * @param onLeftOut called for each row that is left out
 */
export async function* notClassified(
  rows: AsyncIterable<SourceRow>,
  urls: Pick<ClassifiedUrls, 'has'>,
  onLeftOut: () => void,
): AsyncGenerator<SourceRow> {
  for await (const row of rows) {
    if ('image' in row && urls.has(row.image.url)) onLeftOut();
    else yield row;
  }
}
