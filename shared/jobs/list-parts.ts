import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { type PartKind, type PartName, partPrefix, readPartName } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';

/** A part file, as a listing shows it. */
export type Part = PartName & { key: string; bytes: number; writtenAt: Date };

/**
 * The part files of a job: a request per 1,000 of them. Of several files with lines of the same
 * images only the latest counts: the work was done again, and came out differently.
 */
export async function listParts(
  { s3, resultsBucket }: Pick<JobTarget, 's3' | 'resultsBucket'>,
  kind: PartKind,
  job: string,
): Promise<Part[]> {
  const parts = new Map<string, Part>();
  const pages = paginateListObjectsV2({ client: s3 }, { Bucket: resultsBucket, Prefix: partPrefix(kind, job) });
  for await (const { Contents = [] } of pages) {
    for (const { Key = '', Size = 0, LastModified = new Date(0) } of Contents) {
      const name = readPartName(Key);
      if (name === undefined) continue;
      const earlier = parts.get(name.digest);
      if (earlier !== undefined && earlier.writtenAt > LastModified) continue;
      parts.set(name.digest, { ...name, key: Key, bytes: Size, writtenAt: LastModified });
    }
  }
  return [...parts.values()];
}

/** How many lines so many part files have. */
export function totalLines(parts: readonly Part[]): number {
  return parts.reduce((sum, { lines }) => sum + lines, 0);
}
