import { awsFailureText } from '../../shared/contract/aws-failures.ts';
import { ImageTooLargeError } from '../../shared/contract/pack-messages.ts';
import { UserError } from '../../shared/contract/user-error.ts';
import { RunEndedError } from '../../shared/jobs/enqueue.ts';
import { UnreadableJobError } from '../../shared/jobs/job-store.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { SourceChangedError } from '../../shared/jobs/preflight.ts';
import { SendError } from '../../shared/jobs/send-messages.ts';
import { SettingsError } from '../../shared/settings.ts';

/**
 * Why a call failed:
 *
 * - `invalid_settings`: the connection or an option is missing or malformed
 * - `invalid_images`: some of the images have no usable URL, or ids that stand for two images
 * - `images_changed`: the images were not the same when they were read a second time
 * - `job_exists`: the name is in use, by a job with other images or one that was cancelled
 * - `run_ended`: the job was purged, or enqueued again, while its images were being sent
 * - `send_failed`: SQS did not take a message; what was sent before stays sent, and `resume` sends the others
 * - `no_such_job`: there is neither a description nor an outcome of the job
 * - `unreadable_job`: the job's description in S3 is malformed
 * - `aws`: AWS refused a call or could not be reached; `cause` is the error of the AWS SDK
 * - `failed`: any other failure that the message explains
 *
 * @public
 */
export type LabelqueueErrorCode =
  | 'invalid_settings'
  | 'invalid_images'
  | 'images_changed'
  | 'job_exists'
  | 'run_ended'
  | 'send_failed'
  | 'no_such_job'
  | 'unreadable_job'
  | 'aws'
  | 'failed';

/**
 * An expected failure: `code` is for programs, `message` says what was expected, what came and what to do next.
 *
 * @public
 */
export class LabelqueueError extends Error {
  override readonly name = 'LabelqueueError';
  readonly code: LabelqueueErrorCode;

  constructor(code: LabelqueueErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const CODES = new Map<abstract new (...args: never[]) => UserError, LabelqueueErrorCode>([
  [SettingsError, 'invalid_settings'],
  [ImageTooLargeError, 'invalid_images'],
  [SourceChangedError, 'images_changed'],
  [RunEndedError, 'run_ended'],
  [SendError, 'send_failed'],
  [NoSuchJobError, 'no_such_job'],
  [UnreadableJobError, 'unreadable_job'],
]);

/** What a caller gets for what the product throws; a bug stays as it is. */
export function publicError(error: unknown): unknown {
  if (error instanceof LabelqueueError || !(error instanceof Error)) return error;
  if (error instanceof UserError) {
    const [, code = 'failed'] = [...CODES].find(([kind]) => error instanceof kind) ?? [];
    return new LabelqueueError(code, error.message, { cause: error });
  }
  const text = awsFailureText(error, 'labelqueue');
  return text === undefined ? error : new LabelqueueError('aws', text, { cause: error });
}
