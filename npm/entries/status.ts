import { type JobStatus, jobStatus } from '../../shared/jobs/job-status.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { type Connection, targetOf } from './connection.ts';
import { publicError } from './errors.ts';

/**
 * Reads how far a job is, from a listing of its files and the queues' counts of messages.
 *
 * @throws {LabelqueueError} invalid_settings, no_such_job, unreadable_job, aws
 *
 * @example
 * const { state, classified, failed } = await status(connection, 'cats');
 *
 * @public
 */
export async function status(connection: Connection, job: string): Promise<JobStatus> {
  try {
    const target = targetOf(connection);
    const found = await jobStatus(target, job, new Date());
    if (found === undefined) throw new NoSuchJobError(target, job);
    return found;
  } catch (error) {
    throw publicError(error, connection);
  }
}
