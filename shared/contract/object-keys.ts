import { createHash } from 'node:crypto';
import type { ErrorCode } from './error-codes.ts';
import { IdSum } from './id-sum.ts';
import { JOB_NAME } from './job-name.ts';
import type { JobRun } from './job-run.ts';
import { formatWorkerTime, parseWorkerTime, WORKER_TIME_PATTERN, type WorkerTime } from './worker-time.ts';

/** The two kinds of part files; their names are the top-level prefixes of the bucket. */
export type PartKind = 'results' | 'failures';

/** What the name of a part file tells. */
export type PartName = {
  /** Two files with the same digest have lines of the same images: the later one replaces the other. */
  digest: string;
  /** The sum of its ids (see `id-sum.ts`); undefined for files of workers that did not write it yet. */
  idSum: string | undefined;
  lines: number;
  /** What its worker was at work for it; undefined for files of workers that did not write it yet. */
  time: WorkerTime | undefined;
  /** Lines by error code; empty for results. */
  codes: Map<string, number>;
};

/** What of a result or failure line shows in the name of its file. */
type NamedLine = { id: string; error?: { code: ErrorCode } };

/** Where all part files of a job lie, those of all its runs. */
export function partPrefix(kind: PartKind, job: string): string {
  return `${kind}/job=${job}/`;
}

/** How the keys of the part files of one run begin; those of no other run begin so. */
export function runPartPrefix(kind: PartKind, { job, run }: JobRun): string {
  return `${partPrefix(kind, job)}${run === undefined ? '' : `run=${run}/`}part-`;
}

/**
 * The key of a part file: `[run=<run>/]part-<digest>-<sum>-n<lines>-t<time>.jsonl`, with `.<code>-<lines>` before the
 * ending for each error code. Its digest is derived from the ids in the file: of several files with the same digest, which
 * doing the same work again leaves, readers count one. It carries numbers, so that progress is
 * read from a listing, the sum of the ids, so that a listing proves that a job is complete, and the computing time, so that
 * a listing says what a job has cost.
 *
 * @param lines at least one
 * @param time that of the worker since the part before; undefined for files that no worker writes
 */
export function partKey(kind: PartKind, of: JobRun, lines: readonly NamedLine[], time?: WorkerTime): string {
  const ids = lines.map(({ id }) => id).sort();
  const digest = createHash('sha256').update(JSON.stringify(ids)).digest('hex').slice(0, 32);
  const sum = new IdSum();
  for (const id of ids) sum.add(id);
  const codes = new Map<ErrorCode, number>();
  for (const { error } of lines) if (error !== undefined) codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
  const numbers = [...codes].sort().map(([code, count]) => `.${code}-${count}`);
  const measured = time === undefined ? '' : `-t${formatWorkerTime(time)}`;
  return `${runPartPrefix(kind, of)}${digest}-${sum}-n${ids.length}${measured}${numbers.join('')}.jsonl`;
}

const PART_NAME = new RegExp(
  `/part-(?<digest>[0-9a-f]{32})(?:-(?<idSum>[0-9a-f]{32}))?-n(?<lines>\\d+)(?:-t(?<time>${WORKER_TIME_PATTERN}))?(?<codes>(?:\\.[a-z_]+-\\d+)*)\\.jsonl$`,
);

/** Reads the name of a part file; undefined when `key` is not one of a part file. */
export function readPartName(key: string): PartName | undefined {
  const { digest, idSum, lines, time, codes = '' } = PART_NAME.exec(key)?.groups ?? {};
  if (digest === undefined || lines === undefined) return undefined;
  const numbers = [...codes.matchAll(/\.([a-z_]+)-(\d+)/g)].map(
    ([, code = '', count]) => [code, Number(count)] as const,
  );
  return {
    digest,
    idSum,
    lines: Number(lines),
    time: time === undefined ? undefined : parseWorkerTime(time),
    codes: new Map(numbers),
  };
}

/** All that the producer and the operator write about a job. */
export function jobPrefix(job: string): string {
  return `jobs/${job}/`;
}

/** What belongs to one run alone; files of a job without runs lie beside its description. */
function runFolder({ job, run }: JobRun): string {
  return `${jobPrefix(job)}${run === undefined ? '' : `run=${run}/`}`;
}

/** What is enqueued, written by the producer; see `job-description.ts`. */
export function jobKey(job: string): string {
  return `${jobPrefix(job)}job.json`;
}

/** Where the marks of cancelled runs lie. */
export const CANCELLED_PREFIX = 'cancelled/';

/**
 * Its presence stops a run. That of a run lies apart from the job's files and outlives them, so that messages that are
 * still in flight when a job is purged stay without effect.
 */
export function cancelledKey({ job, run }: JobRun): string {
  return run === undefined ? `${jobPrefix(job)}cancelled` : `${CANCELLED_PREFIX}job=${job}/run=${run}`;
}

/** Which run counts, for queries, which cannot read `job.json`: the folder is a table with a partition per job. */
export function newestRunKey(job: string): string {
  return `runs/job=${job}/run.json`;
}

/** What workers have counted of a job that has a limit; see `shared/jobs/guard-record.ts`. */
export function guardKey(of: JobRun): string {
  return `${runFolder(of)}guard.json`;
}

/** How a run ended, once that is known; see `shared/jobs/end-record.ts`. */
export function endKey(of: JobRun): string {
  return `${runFolder(of)}end.json`;
}

/** Failures that a redrive took out of `failures/` and has not sent again for certain; see `shared/jobs/redrive.ts`. */
export function redrivePrefix(of: JobRun): string {
  return `${runFolder(of)}redrive/`;
}

/** Written when images of a run are sent again: its time says that they may be on the queue. See `shared/jobs/redrive.ts`. */
export function redrivenKey(of: JobRun): string {
  return `${runFolder(of)}redriven`;
}

/** Where the images of a local folder are put before they are enqueued. */
export function uploadPrefix(job: string): string {
  return `${jobPrefix(job)}images/`;
}

/**
 * Whether a job's uploads are where this object lies: below `jobs/<job>/images/`, and nothing else of the bucket. A key with
 * `.` or `..` between its slashes is refused: on its way it may become another key's path.
 */
export function isUploadKey(key: string): boolean {
  const [, job = '', ...names] = key.split('/');
  return JOB_NAME.test(job) && key.startsWith(uploadPrefix(job)) && !names.some((name) => /^\.{0,2}$/.test(name));
}

/** The ids of a job's images in the order of their source; see `shared/jobs/source-order.ts`. */
export function orderPrefix(of: JobRun): string {
  return `${runFolder(of)}order-`;
}

/** The key of one of the files below {@link orderPrefix}, numbered from 0. */
export function orderKey(of: JobRun, file: number): string {
  return `${orderPrefix(of)}${String(file).padStart(5, '0')}.jsonl.gz`;
}
