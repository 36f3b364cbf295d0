import { createHash } from 'node:crypto';
import type { ErrorCode } from './error-codes.ts';
import { IdSum } from './id-sum.ts';
import { JOB_NAME } from './job-name.ts';
import type { JobRun } from './job-run.ts';
import { formatWorkerTime, parseWorkerTime, WORKER_TIME_PATTERN, type WorkerTime } from './worker-time.ts';

/** The two kinds of part files; their names are the top-level prefixes of the bucket. */
export type PartKind = 'results' | 'failures';

/** The parts of a part file's name. */
export type PartName = {
  /** Files with the same digest have lines of the same images: the latest one counts. */
  digest: string;
  /** The sum of its ids (see `id-sum.ts`); undefined for files of earlier versions. */
  idSum: string | undefined;
  lines: number;
  /** The time that its worker spent on it; undefined for files of earlier versions. */
  time: WorkerTime | undefined;
  /** Lines by error code; empty for results. */
  codes: Map<string, number>;
};

/** The fields of a line that are part of the name of its file. */
type NamedLine = { id: string; error?: { code: ErrorCode } };

/** The prefix of the part files of a job, of all its runs. */
export function partPrefix(kind: PartKind, job: string): string {
  return `${kind}/job=${job}/`;
}

/** The prefix of the part files of one run, and of no other. */
export function runPartPrefix(kind: PartKind, { job, run }: JobRun): string {
  return `${partPrefix(kind, job)}${run === undefined ? '' : `run=${run}/`}part-`;
}

/**
 * The key of a part file: `[run=<run>/]part-<digest>-<sum>-n<lines>-t<time>.jsonl`, with `.<code>-<lines>` before the
 * ending for each error code. The digest is derived from the ids in the file: of several files with the same digest, which
 * redeliveries leave, readers count one. The name has the counts, so that a listing shows the progress; the sum of the ids, so
 * that a listing proves that a job is complete; and the computing time, so that a listing shows the cost.
 *
 * @param lines at least one
 * @param time of the worker since its previous part; undefined for files that are not written by a worker
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

/** The prefix of everything that the producer and the operator write about a job. */
export function jobPrefix(job: string): string {
  return `jobs/${job}/`;
}

/** The prefix of one run; files of a job without runs lie beside its description. */
function runFolder({ job, run }: JobRun): string {
  return `${jobPrefix(job)}${run === undefined ? '' : `run=${run}/`}`;
}

/** The key of the job description, written by the producer; see `job-description.ts`. */
export function jobKey(job: string): string {
  return `${jobPrefix(job)}job.json`;
}

/** The prefix of the marks of cancelled runs. */
export const CANCELLED_PREFIX = 'cancelled/';

/**
 * The key of the mark that cancels a run. It is separate from the job's files and outlives them, so that messages that are in
 * flight when a job is purged have no effect.
 */
export function cancelledKey({ job, run }: JobRun): string {
  return run === undefined ? `${jobPrefix(job)}cancelled` : `${CANCELLED_PREFIX}job=${job}/run=${run}`;
}

/** The newest run, for queries, which cannot read `job.json`: the prefix is a table with a partition per job. */
export function newestRunKey(job: string): string {
  return `runs/job=${job}/run.json`;
}

/** The counts of a job with a limit; see `shared/jobs/guard-record.ts`. */
export function guardKey(of: JobRun): string {
  return `${runFolder(of)}guard.json`;
}

/** The end of a run, once it is known; see `shared/jobs/end-record.ts`. */
export function endKey(of: JobRun): string {
  return `${runFolder(of)}end.json`;
}

/** Failures that a redrive removed from `failures/` and may not have sent yet; see `shared/jobs/redrive.ts`. */
export function redrivePrefix(of: JobRun): string {
  return `${runFolder(of)}redrive/`;
}

/** Written when images of a run are sent again: they may be on the queue since then. See `shared/jobs/redrive.ts`. */
export function redrivenKey(of: JobRun): string {
  return `${runFolder(of)}redriven`;
}

/** The prefix to which the images of a local folder are uploaded before they are enqueued. */
export function uploadPrefix(job: string): string {
  return `${jobPrefix(job)}images/`;
}

/**
 * Whether a key is one of a job's uploads, below `jobs/<job>/images/`. Keys with a segment `.` or `..` are refused: a client or
 * proxy may normalize them to another key.
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
