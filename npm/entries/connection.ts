import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import { awsSettingsFrom, jobSettingsFrom, type S3AddressingStyle, SettingsError } from '../../shared/settings.ts';
import { LabelqueueError } from './errors.ts';

/**
 * Keys of an AWS account, or of another service that speaks SQS and S3.
 *
 * @public
 */
export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string; expiration?: Date };

/**
 * The queues and the bucket that jobs run on: outputs of the stack, or what `labelqueue local` prints. Calls with the
 * same object share connections.
 *
 * @public
 */
export type Connection = {
  /** URL of the SQS queue. */
  queueUrl: string;
  /** URL of its dead-letter queue. */
  deadLetterQueueUrl: string;
  /** Name of the S3 bucket with `jobs/`, `results/` and `failures/`. */
  resultsBucket: string;
  /** URL of the queue of looks at ends of jobs, of a stack that announces them. */
  jobEndQueueUrl?: string;
  /** E.g. `eu-central-1`; by default what the AWS SDK finds. */
  region?: string;
  /** The URL of a service that is not AWS, e.g. `http://127.0.0.1:4566`. */
  endpoint?: string;
  /** By default what the AWS SDK finds: a profile, a role, variables of the environment. */
  credentials?: Credentials | (() => Promise<Credentials>);
  /** Where the bucket stands in the URLs of S3: in the `path` or in the host (`virtual`). By default by the endpoint. */
  s3AddressingStyle?: S3AddressingStyle;
};

/** The settings that a connection gives, and their names in the environment, which messages of the product have. */
const VARIABLES = {
  jobEndQueueUrl: 'JOB_END_QUEUE_URL',
  deadLetterQueueUrl: 'DEAD_LETTER_QUEUE_URL',
  queueUrl: 'QUEUE_URL',
  resultsBucket: 'RESULTS_BUCKET',
  s3AddressingStyle: 'S3_ADDRESSING_STYLE',
} as const;

const targets = new WeakMap<Connection, JobTarget>();

/** @throws {LabelqueueError} invalid_settings */
export function targetOf(connection: Connection): JobTarget {
  checkConnection(connection);
  let target = targets.get(connection);
  if (target === undefined) {
    target = newTarget(connection);
    targets.set(connection, target);
  }
  return target;
}

function checkConnection(given: unknown): void {
  if (typeof given === 'object' && given !== null) return;
  const expected = 'expected a connection: an object with queueUrl, deadLetterQueueUrl and resultsBucket';
  throw new LabelqueueError('invalid_settings', expected);
}

function newTarget(connection: Connection): JobTarget {
  const { region, endpoint, credentials } = connection;
  const config = {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  };
  const variables = Object.fromEntries(
    Object.entries(VARIABLES).map(([name, variable]) => [variable, connection[name as keyof typeof VARIABLES]]),
  );
  try {
    awsSettingsFrom(variables);
    return { ...createJobTarget(jobSettingsFrom(variables), config), s3: createS3Client(config, variables) };
  } catch (error) {
    throw error instanceof SettingsError ? new LabelqueueError('invalid_settings', inOwnWords(error.message)) : error;
  }
}

function inOwnWords(message: string): string {
  return Object.entries(VARIABLES).reduce(
    (text, [name, variable]) => text.replaceAll(new RegExp(`(?<![A-Z_])${variable}`, 'g'), name),
    message,
  );
}
