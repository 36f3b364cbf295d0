import { pMapIterable } from 'p-map';
import { decodeEmbeddingInto, embeddingLength } from '../../shared/contract/embedding.ts';
import type { JobRun } from '../../shared/contract/job-run.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { latestParts } from '../../shared/jobs/list-parts.ts';
import { readObject } from '../../shared/jobs/read-object.ts';
import { type EmbeddedLine, embeddedLine, linesIn, modelText } from '../embeddings/embedded-lines.ts';
import { type NamedTrunk, OtherTrunkError } from '../embeddings/other-trunk-error.ts';

/** Part files that are downloaded or in memory at once, each of several megabytes. */
const PARTS_AT_ONCE = 4;

/** Lines that a scan has read so far. */
export type ScanCounts = { read: number; embedded: number; withoutEmbedding: number };

/** The trunk and length that embeddings must have to be compared. */
export type ExpectedEmbedding = { trunk: NamedTrunk /** Its numbers. */; length: number };

/**
 * Reads all embeddings of a run, in the order in which its part files are listed.
 *
 * @param expected trunk and length of what they are compared with; without it, those of the first line
 * @param visit called with a line and its embedding, which is valid until it returns
 * @throws {OtherTrunkError} at the first line with another trunk
 */
export async function scanEmbeddings(
  target: JobTarget,
  of: JobRun,
  expected: ExpectedEmbedding | undefined,
  visit: (line: EmbeddedLine, values: Float32Array) => void,
  onProgress: (counts: ScanCounts) => void,
): Promise<ScanCounts> {
  const counts: ScanCounts = { read: 0, embedded: 0, withoutEmbedding: 0 };
  const reader = new EmbeddingReader(of.job, expected);
  for await (const part of partsOf(target, of)) {
    for (const text of linesIn(part)) {
      const line = embeddedLine(text);
      const values = line === undefined ? undefined : reader.read(line);
      counts.read++;
      if (line === undefined || values === undefined) counts.withoutEmbedding++;
      else {
        counts.embedded++;
        visit(line, values);
      }
    }
    onProgress(counts);
  }
  return counts;
}

/** The result files of a run, some of them ahead of the reader. */
export function partsOf({ s3, resultsBucket, ...target }: JobTarget, of: JobRun): AsyncIterable<Buffer> {
  const parts = latestParts({ s3, resultsBucket, ...target }, 'results', of);
  return pMapIterable(parts, ({ key }) => readObject(s3, resultsBucket, key), { concurrency: PARTS_AT_ONCE });
}

/** Reads embeddings of one trunk and one length, reusing the same memory. */
class EmbeddingReader {
  readonly #job: string;
  #expected: NamedTrunk | undefined;
  #values: Float32Array;

  constructor(job: string, expected: ExpectedEmbedding | undefined) {
    this.#job = job;
    this.#expected = expected?.trunk;
    this.#values = new Float32Array(expected?.length ?? 0);
  }

  /** Undefined for what is not an embedding. */
  read(line: EmbeddedLine): Float32Array | undefined {
    const given = { trunk: line.trunk, model: modelText(line) };
    this.#expected ??= given;
    if (given.trunk !== this.#expected.trunk) throw new OtherTrunkError(this.#job, given, this.#expected);
    const length = embeddingLength(line.embedding) ?? 0;
    if (this.#values.length === 0) this.#values = new Float32Array(length);
    if (this.#values.length !== length) return undefined;
    return decodeEmbeddingInto(line.embedding, this.#values, 0) ? this.#values : undefined;
  }
}
