import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { startElasticMqServer } from './elasticmq-server.ts';
import { startMotoServer } from './moto-server.ts';

/** An SQS and an S3 with the queues and the bucket that labelqueue needs. */
export type Cloud = AsyncDisposable & {
  /** What points the command and the workers at it. */
  environment: Record<string, string>;
  target: JobTarget;
};

/** What each of them is called, and how it is started. */
export const CLOUDS: [name: string, start: () => Promise<Cloud>][] = [
  ['the embedded service', startTestAws],
  ['moto', startMoto],
  ['ElasticMQ for SQS and moto for S3', startElasticMqAndMoto],
];

const REGION = 'us-east-1';
const CREDENTIALS = { AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' };
const BUCKET = 'labelqueue-results';
/** Short: what is redelivered is redelivered within a test. */
const VISIBILITY_TIMEOUT_SECONDS = 30;
const MAX_RECEIVE_COUNT = 5;

async function startMoto(): Promise<Cloud> {
  const moto = await startMotoServer();
  const endpoint = named(moto.endpoint);
  return cloudAt({ AWS_ENDPOINT_URL: endpoint }, { s3: endpoint, sqs: endpoint }, [moto]);
}

async function startElasticMqAndMoto(): Promise<Cloud> {
  const [elasticMq, moto] = await Promise.all([startElasticMqServer(), startMotoServer()]);
  const endpoints = { s3: named(moto.endpoint), sqs: named(elasticMq.endpoint) };
  const environment = { AWS_ENDPOINT_URL_S3: endpoints.s3, AWS_ENDPOINT_URL_SQS: endpoints.sqs };
  return cloudAt(environment, endpoints, [elasticMq, moto]);
}

/** Behind a name, which has no names of buckets below it. */
function named(endpoint: string): string {
  return endpoint.replace('127.0.0.1', 'localhost');
}

async function cloudAt(
  endpoints: Record<string, string>,
  { s3: s3Endpoint, sqs: sqsEndpoint }: { s3: string; sqs: string },
  servers: AsyncDisposable[],
): Promise<Cloud> {
  const credentials = {
    accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID,
    secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
  };
  const s3 = createS3Client({ endpoint: s3Endpoint, region: REGION, credentials });
  const sqs = createSqsClient({ endpoint: sqsEndpoint, region: REGION, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const environment = { ...endpoints, ...CREDENTIALS, RESULTS_BUCKET: BUCKET, ...(await createQueues(sqs)) };
  return {
    environment,
    target: { ...createJobTarget(jobSettingsFrom(environment), { region: REGION, credentials }), s3, sqs },
    async [Symbol.asyncDispose]() {
      s3.destroy();
      sqs.destroy();
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

async function createQueues(sqs: SQSClient): Promise<Record<'QUEUE_URL' | 'DEAD_LETTER_QUEUE_URL', string>> {
  const dlq = await sqs.send(new CreateQueueCommand({ QueueName: 'labelqueue-dlq' }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: dlq.QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const policy = { deadLetterTargetArn: Attributes?.['QueueArn'], maxReceiveCount: MAX_RECEIVE_COUNT };
  const queue = await sqs.send(
    new CreateQueueCommand({
      QueueName: 'labelqueue',
      Attributes: { VisibilityTimeout: String(VISIBILITY_TIMEOUT_SECONDS), RedrivePolicy: JSON.stringify(policy) },
    }),
  );
  return { QUEUE_URL: queue.QueueUrl ?? '', DEAD_LETTER_QUEUE_URL: dlq.QueueUrl ?? '' };
}
