import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { acceptFromLoopbackOnly } from './loopback-only.ts';
import './sorted-listing.ts';

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';
const QUEUE = 'labelqueue';
const DEAD_LETTER_QUEUE = 'labelqueue-dlq';
const BUCKET = 'labelqueue';
/** fauxqs checks no signature, but the SDKs refuse to send a request without keys. */
const KEY = 'local';

type EmbeddedEnvironment = Record<
  | 'AWS_ENDPOINT_URL'
  | 'AWS_REGION'
  | 'AWS_ACCESS_KEY_ID'
  | 'AWS_SECRET_ACCESS_KEY'
  | 'QUEUE_URL'
  | 'DEAD_LETTER_QUEUE_URL'
  | 'RESULTS_BUCKET',
  string
>;

/** An SQS and an S3 on this machine and for it, with the queues and the bucket that labelqueue needs. */
export type EmbeddedAws = {
  server: FauxqsServer;
  /** The variables that point the command, the AWS CLI, an SDK and the worker at it. */
  environment: EmbeddedEnvironment;
  /** What an SDK client in this process needs to reach it. */
  clientConfig: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  stop(): Promise<void>;
};

/**
 * @param port 0 for any free one
 * @param dataDir where queues and objects are kept from one start to the next; in memory without
 * @param visibilityTimeoutSeconds how long a message is hidden from others once it is received
 */
export async function startEmbeddedAws({
  port,
  dataDir,
  visibilityTimeoutSeconds = VISIBILITY_TIMEOUT_SECONDS,
}: {
  port: number;
  dataDir?: string;
  visibilityTimeoutSeconds?: number;
}): Promise<EmbeddedAws> {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  const server = await startFauxqs({
    port,
    logger: false,
    defaultRegion: REGION,
    ...(dataDir !== undefined && { dataDir, s3StorageDir: join(dataDir, 's3') }),
  });
  // fauxqs listens on every interface, and asks nobody for a password.
  const acceptFromAnywhere = acceptFromLoopbackOnly(server.port);
  createResources(server, visibilityTimeoutSeconds);
  const endpoint = `http://127.0.0.1:${server.port}`;
  return {
    server,
    environment: environmentFor(endpoint),
    clientConfig: { endpoint, region: REGION, credentials: { accessKeyId: KEY, secretAccessKey: KEY } },
    async stop() {
      await server.stop();
      acceptFromAnywhere();
    },
  };
}

function createResources(server: FauxqsServer, visibilityTimeoutSeconds: number): void {
  const deadLetterTargetArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${DEAD_LETTER_QUEUE}`;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: MAX_RECEIVE_COUNT });
  // Created by an earlier start when the data is kept.
  if (server.inspectQueue(DEAD_LETTER_QUEUE) === undefined) server.createQueue(DEAD_LETTER_QUEUE);
  if (server.inspectQueue(QUEUE) === undefined) {
    const attributes = { VisibilityTimeout: String(visibilityTimeoutSeconds), RedrivePolicy };
    server.createQueue(QUEUE, { attributes });
  }
  server.setup({ buckets: [BUCKET] });
}

function environmentFor(endpoint: string): EmbeddedEnvironment {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: KEY,
    AWS_SECRET_ACCESS_KEY: KEY,
    QUEUE_URL: `${endpoint}/${ACCOUNT}/${QUEUE}`,
    DEAD_LETTER_QUEUE_URL: `${endpoint}/${ACCOUNT}/${DEAD_LETTER_QUEUE}`,
    RESULTS_BUCKET: BUCKET,
  };
}
