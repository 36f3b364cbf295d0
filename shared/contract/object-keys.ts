import { createHash } from 'node:crypto';

/** The two kinds of part files; their names are the top-level prefixes of the bucket. */
export type PartKind = 'results' | 'failures';

/** Where all part files of a job lie. */
export function partPrefix(kind: PartKind, job: string): string {
  return `${kind}/job=${job}/`;
}

/**
 * The key of a part file. It is derived from the ids in the file, so that doing the same work
 * again overwrites the file instead of adding a second one; and it carries the number of lines,
 * so that progress is read from a listing.
 */
export function partKey(kind: PartKind, job: string, ids: readonly string[]): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([...ids].sort()))
    .digest('hex')
    .slice(0, 32);
  return `${partPrefix(kind, job)}part-${digest}-n${ids.length}.jsonl`;
}

/** How many lines the part file at `key` has, or undefined when `key` is not one of a part file. */
export function linesInPart(key: string): number | undefined {
  const match = /\/part-[0-9a-f]{32}-n(\d+)\.jsonl$/.exec(key);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** What was enqueued, written by the producer. */
export function jobKey(job: string): string {
  return `jobs/${job}/job.json`;
}

/** Its presence stops the job. */
export function cancelledKey(job: string): string {
  return `jobs/${job}/cancelled`;
}
