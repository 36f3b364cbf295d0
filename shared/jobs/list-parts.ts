import type { JobRun } from '../contract/job-run.ts';
import { type PartKind, type PartName, readPartName, runPartPrefix } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';
import { listPages } from './list-objects.ts';
import type { MeasuredTime } from './measured-time.ts';

/** A part file, as listed. */
export type Part = PartName & { key: string; bytes: number; writtenAt: Date };

/** The part files of one request in the order of their digests, and whether there are more. */
export type PartPage = { parts: Part[]; isLast: boolean };

/** The part files to list. */
export type PartRange = {
  /** The first digits of their digests; all files by default. */
  digits?: string;
  /** Only those after this digest. */
  after?: string;
  signal?: AbortSignal | undefined;
};

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/**
 * The part files of a run that count, in memory: for small jobs. Of several files with lines of the same images only the
 * latest counts: the message was redelivered, with other outcomes.
 */
export function listParts(bucket: Bucket, kind: PartKind, of: JobRun): Promise<Part[]> {
  return Array.fromAsync(latestParts(bucket, kind, of));
}

/**
 * The part files of a run that count, in sequence.
 *
 * @param time adds up the time of all files, including those that no longer count
 */
export async function* latestParts(
  bucket: Bucket,
  kind: PartKind,
  of: JobRun,
  time?: MeasuredTime,
): AsyncGenerator<Part> {
  for await (const parts of partsOfSameImages(bucket, kind, of)) {
    for (const part of parts) time?.add(part);
    yield latestOf(parts);
  }
}

/** The part files of a run, grouped by images: files with lines of the same images have consecutive keys. */
export async function* partsOfSameImages(bucket: Bucket, kind: PartKind, of: JobRun): AsyncGenerator<Part[]> {
  let same: Part[] = [];
  for await (const part of allParts(bucket, kind, of)) {
    if (same.length > 0 && same[0]?.digest !== part.digest) {
      yield same;
      same = [];
    }
    same.push(part);
  }
  if (same.length > 0) yield same;
}

/** @param parts at least one, with lines of the same images, in the order of their keys */
export function latestOf(parts: readonly Part[]): Part {
  return parts.reduce((latest, part) => (part.writtenAt < latest.writtenAt ? latest : part));
}

/** The part files of a run, including those that no longer count. */
export async function* allParts(bucket: Bucket, kind: PartKind, of: JobRun): AsyncGenerator<Part> {
  for await (const { parts } of partPages(bucket, kind, of)) yield* parts;
}

/** As `allParts`, by request. */
export async function* partPages(
  { s3, resultsBucket }: Bucket,
  kind: PartKind,
  of: JobRun,
  { digits = '', after, signal }: PartRange = {},
): AsyncGenerator<PartPage> {
  const begin = runPartPrefix(kind, of);
  // `~` sorts after every character that may follow a digest.
  const startAfter = after === undefined ? undefined : `${begin}${after}~`;
  const pages = listPages(s3, resultsBucket, { prefix: `${begin}${digits}`, startAfter, signal });
  for await (const { objects, isLast } of pages) {
    const parts: Part[] = [];
    for (const { Key = '', Size = 0, LastModified = new Date(0) } of objects) {
      const name = readPartName(Key);
      if (name !== undefined) parts.push({ ...name, key: Key, bytes: Size, writtenAt: LastModified });
    }
    // A single page may come in any order.
    yield { parts: parts.sort(({ key: one }, { key: other }) => (one < other ? -1 : 1)), isLast };
  }
}

/** The total number of lines of part files. */
export function totalLines(parts: readonly Part[]): number {
  return parts.reduce((sum, { lines }) => sum + lines, 0);
}
