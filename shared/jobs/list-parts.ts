import type { JobRun } from '../contract/job-run.ts';
import { type PartKind, type PartName, readPartName, runPartPrefix } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';
import { listObjects } from './list-objects.ts';
import type { MeasuredTime } from './measured-time.ts';

/** A part file, as a listing shows it. */
export type Part = PartName & { key: string; bytes: number; writtenAt: Date };

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/**
 * The part files of a run: a request per 1,000 of them. Of several files with lines of the same
 * images only the latest counts: the work was done again, and came out differently.
 *
 * @param time adds up the time of all of them
 */
export async function listParts(bucket: Bucket, kind: PartKind, of: JobRun, time?: MeasuredTime): Promise<Part[]> {
  const parts = new Map<string, Part>();
  for await (const part of allParts(bucket, kind, of)) {
    time?.add(part);
    const earlier = parts.get(part.digest);
    if (earlier === undefined || earlier.writtenAt <= part.writtenAt) parts.set(part.digest, part);
  }
  return [...parts.values()];
}

/** The part files of a run, those included that do not count any more. */
export async function* allParts({ s3, resultsBucket }: Bucket, kind: PartKind, of: JobRun): AsyncGenerator<Part> {
  for await (const { Key = '', Size = 0, LastModified = new Date(0) } of listObjects(
    s3,
    resultsBucket,
    runPartPrefix(kind, of),
  )) {
    const name = readPartName(Key);
    if (name !== undefined) yield { ...name, key: Key, bytes: Size, writtenAt: LastModified };
  }
}

/** How many lines so many part files have. */
export function totalLines(parts: readonly Part[]): number {
  return parts.reduce((sum, { lines }) => sum + lines, 0);
}
