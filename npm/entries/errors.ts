import { awsFailureText } from '../../shared/contract/aws-failures.ts';
import type { AwsSettingNames } from '../../shared/contract/aws-setting-names.ts';
import { ImageTooLargeError } from '../../shared/contract/pack-messages.ts';
import { UserError } from '../../shared/contract/user-error.ts';
import { RunEndedError } from '../../shared/jobs/enqueue.ts';
import { UnreadableJobError } from '../../shared/jobs/job-store.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { SourceChangedError } from '../../shared/jobs/preflight.ts';
import { SendError } from '../../shared/jobs/send-messages.ts';
import { SettingsError } from '../../shared/settings.ts';
import type { Connection } from './connection.ts';

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

/** What a caller gets for what the product throws, in terms of the options of the functions; a bug stays as it is. */
export function publicError(error: unknown, connection: Connection): unknown {
  if (error instanceof LabelqueueError || !(error instanceof Error)) return error;
  if (error instanceof UserError) {
    const [, code = 'failed'] = [...CODES].find(([kind]) => error instanceof kind) ?? [];
    return new LabelqueueError(code, messageOf(error), { cause: error });
  }
  const text = awsFailureText(error, optionsOf(connection));
  return text === undefined ? error : new LabelqueueError('aws', text, { cause: error });
}

function messageOf(error: UserError): string {
  return error instanceof NoSuchJobError
    ? `${error.problem}: check the name of the job, and resultsBucket of the connection`
    : error.message;
}

/** How a program sets what an error of AWS is about. */
function optionsOf({ s3AddressingStyle }: Connection): AwsSettingNames {
  return {
    credentials: 'credentials of the connection',
    region: 'region of the connection',
    regionOf: (region) => `region of the connection to ${region}`,
    bucket: 'resultsBucket',
    queues: 'queueUrl, deadLetterQueueUrl',
    endpoint: () => 'endpoint of the connection',
    pathStyle: s3AddressingStyle === 'virtual' ? "s3AddressingStyle: 'path'" : undefined,
    isItRunning: 'is the service running, and is this the endpoint that it printed?',
  };
}
