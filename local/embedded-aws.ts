import {
  END_LOOK_DELAY_SECONDS,
  END_LOOK_RECEIVES,
  END_LOOK_VISIBILITY_SECONDS,
  MAX_RECEIVE_COUNT,
  VISIBILITY_TIMEOUT_SECONDS,
} from '../shared/contract/limits.ts';
import { makeFolder } from '../shared/runtime/make-folder.ts';
import { noticeOnStandardError } from '../worker/notice.ts';
import { type AwsServer, startAwsServer } from './aws-server.ts';
import { isNoRoom } from './disk-room.ts';
import { type LocalCredentials, localCredentials } from './local-credentials.ts';
import { StateFolderError } from './state-folder-error.ts';
import './kept-queue.ts';
import type { QueueDepth } from './queue-depth.ts';
import './queue-timers.ts';
import './sorted-listing.ts';
import { lockState } from './state-lock.ts';

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';
const QUEUE = 'labelqueue';
const DEAD_LETTER_QUEUE = 'labelqueue-dlq';
const JOB_END_QUEUE = 'labelqueue-job-ends.fifo';
const JOB_END_DEAD_LETTER_QUEUE = 'labelqueue-job-ends-dlq.fifo';
const BUCKET = 'labelqueue';

type EmbeddedEnvironment = Record<
  | 'AWS_ENDPOINT_URL'
  | 'AWS_REGION'
  | 'AWS_DEFAULT_REGION'
  | 'AWS_ACCESS_KEY_ID'
  | 'AWS_SECRET_ACCESS_KEY'
  | 'QUEUE_URL'
  | 'DEAD_LETTER_QUEUE_URL'
  | 'JOB_END_QUEUE_URL'
  | 'RESULTS_BUCKET',
  string
>;

/** SQS and S3 on this machine, with the queues and the bucket that labelqueue needs. */
export type EmbeddedAws = {
  server: AwsServer;
  /** Environment variables that point the command, the AWS CLI, an SDK and the worker at it. */
  environment: EmbeddedEnvironment;
  /** What an SDK client in this process needs to reach it. */
  clientConfig: { endpoint: string; region: string; credentials: LocalCredentials };
  /** Depths of the queue and the dead-letter queue; undefined for a deleted one. Does not receive messages. */
  depths(): { queue: QueueDepth | undefined; deadLetterQueue: QueueDepth | undefined };
  stop(): Promise<void>;
};

export type EmbeddedAwsOptions = {
  /** 0 for any free port. */
  port: number;
  /** The folder of queues and objects; without it, they are in memory. */
  dataDir?: string;
  /** The visibility timeout of received messages. */
  visibilityTimeoutSeconds?: number;
  /** Called with a line for each notable event; standard error by default. */
  onNotice?: (text: string) => void;
};

/** @throws {StateFolderError} when another process uses the data folder, or it is not writable */
export async function startEmbeddedAws(options: EmbeddedAwsOptions): Promise<EmbeddedAws> {
  try {
    return await start(options);
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    const text = `${options.dataDir}: the disk is full or read-only: free some space, or choose another folder with --state-dir`;
    throw new StateFolderError(text, { cause: error });
  }
}

async function start({
  port,
  dataDir,
  visibilityTimeoutSeconds,
  onNotice = noticeOnStandardError,
}: EmbeddedAwsOptions): Promise<EmbeddedAws> {
  if (dataDir !== undefined) makeFolder(dataDir);
  await using starting = new AsyncDisposableStack();
  if (dataDir !== undefined) starting.defer(lockState(dataDir));
  const credentials = localCredentials(dataDir);
  const { accessKeyId } = credentials;
  const server = await startAwsServer({
    port,
    region: REGION,
    accessKeyId,
    dataDir,
    // The text may contain parts of a damaged file.
    onNotice: (text) => onNotice(text.replace(/\p{C}+/gu, ' ')),
  });
  starting.defer(() => server.stop());
  createResources(server, visibilityTimeoutSeconds);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const running = starting.move();
  return {
    server,
    environment: environmentFor(endpoint, credentials),
    clientConfig: { endpoint, region: REGION, credentials },
    depths: () => ({ queue: server.depthOf(QUEUE), deadLetterQueue: server.depthOf(DEAD_LETTER_QUEUE) }),
    stop: () => running.disposeAsync(),
  };
}

function createResources(server: AwsServer, visibilityTimeoutSeconds: number | undefined): void {
  const deadLetterTargetArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${DEAD_LETTER_QUEUE}`;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: MAX_RECEIVE_COUNT });
  // Exists already if an earlier start stored it.
  if (server.inspectQueue(DEAD_LETTER_QUEUE) === undefined) server.createQueue(DEAD_LETTER_QUEUE);
  if (server.inspectQueue(QUEUE) === undefined) {
    const VisibilityTimeout = String(visibilityTimeoutSeconds ?? VISIBILITY_TIMEOUT_SECONDS);
    server.createQueue(QUEUE, { VisibilityTimeout, RedrivePolicy });
  }
  createJobEndQueues(server, visibilityTimeoutSeconds ?? END_LOOK_VISIBILITY_SECONDS);
  server.setup({ buckets: [BUCKET] });
}

function createJobEndQueues(server: AwsServer, visibilityTimeoutSeconds: number): void {
  const deadLetterTargetArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${JOB_END_DEAD_LETTER_QUEUE}`;
  if (server.inspectQueue(JOB_END_DEAD_LETTER_QUEUE) === undefined) {
    server.createQueue(JOB_END_DEAD_LETTER_QUEUE, { FifoQueue: 'true' });
  }
  if (server.inspectQueue(JOB_END_QUEUE) !== undefined) return;
  server.createQueue(JOB_END_QUEUE, {
    FifoQueue: 'true',
    DelaySeconds: String(END_LOOK_DELAY_SECONDS),
    VisibilityTimeout: String(visibilityTimeoutSeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: END_LOOK_RECEIVES }),
  });
}

function environmentFor(endpoint: string, { accessKeyId, secretAccessKey }: LocalCredentials): EmbeddedEnvironment {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    // boto3 and version 1 of the AWS CLI only read this variable.
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    QUEUE_URL: `${endpoint}/${ACCOUNT}/${QUEUE}`,
    DEAD_LETTER_QUEUE_URL: `${endpoint}/${ACCOUNT}/${DEAD_LETTER_QUEUE}`,
    JOB_END_QUEUE_URL: `${endpoint}/${ACCOUNT}/${JOB_END_QUEUE}`,
    RESULTS_BUCKET: BUCKET,
  };
}
