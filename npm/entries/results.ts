import { pMapIterable } from 'p-map';
import type { JobRun } from '../../shared/contract/job-run.ts';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import { IdSet } from '../../shared/jobs/id-set.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { listParts } from '../../shared/jobs/list-parts.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { partLines } from '../../shared/jobs/read-outcomes.ts';
import { type Connection, targetOf } from './connection.ts';
import { publicError } from './errors.ts';

/** Part files on their way at once. */
const READS_AT_ONCE = 8;

/**
 * Reads the result lines of a job, each image once: of several lines of an image, the one that was written last. Works
 * while the job is running, with what there is so far; `status` says whether the job has ended.
 *
 * A number in `meta` that JavaScript has no exact value for is an object of `JSON.rawJSON`, which `JSON.stringify` writes as
 * it came.
 *
 * @throws {LabelqueueError} invalid_settings, no_such_job, unreadable_job, aws
 *
 * @example
 * for await (const { id, labels } of results(connection, 'cats')) console.log(id, labels[0]?.label);
 *
 * @public
 */
export async function* results(connection: Connection, job: string): AsyncGenerator<ResultLine, void, undefined> {
  try {
    const { target, of } = await runOf(connection, job);
    using seen = new IdSet();
    yield* linesOnce<ResultLine>(target, 'results', of, seen);
  } catch (error) {
    throw publicError(error, connection);
  }
}

/**
 * Reads the failure lines of a job, each image once, without images that were classified after a redrive. Reads the result
 * lines, too.
 *
 * @throws {LabelqueueError} invalid_settings, no_such_job, unreadable_job, aws
 *
 * @public
 */
export async function* failures(connection: Connection, job: string): AsyncGenerator<FailureLine, void, undefined> {
  try {
    const { target, of } = await runOf(connection, job);
    using seen = new IdSet();
    for await (const _line of linesOnce<ResultLine>(target, 'results', of, seen));
    yield* linesOnce<FailureLine>(target, 'failures', of, seen);
  } catch (error) {
    throw publicError(error, connection);
  }
}

async function runOf(connection: Connection, job: string): Promise<{ target: JobTarget; of: JobRun }> {
  const target = targetOf(connection);
  const description = await readJob(target, job);
  const of = { job, run: description?.run };
  if (description !== undefined) return { target, of };
  for (const kind of ['results', 'failures'] as const) {
    if ((await listParts(target, kind, of)).length > 0) return { target, of };
  }
  throw new NoSuchJobError(target, job);
}

/** The lines of images that are not in the set yet, from the newest file to the oldest; their ids are added to it. */
async function* linesOnce<Line extends { id: string }>(
  target: JobTarget,
  kind: PartKind,
  of: JobRun,
  seen: IdSet,
): AsyncGenerator<Line> {
  const parts = await listParts(target, kind, of);
  parts.sort((one, other) => other.writtenAt.getTime() - one.writtenAt.getTime());
  const read = ({ key }: (typeof parts)[number]) => Array.fromAsync(partLines<Line>(target, key));
  for await (const lines of pMapIterable(parts, read, { concurrency: READS_AT_ONCE })) {
    for (const line of lines) if (seen.add(line.id)) yield line;
  }
}
