import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { END_LOOK_DELAY_SECONDS, END_LOOK_RECEIVES, MAX_RECEIVE_COUNT } from '../../shared/contract/limits.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import type { AwsAccess } from '../../testkit/aws-process.ts';
import { startElasticMqServer } from '../support/elasticmq-server.ts';
import { ask, reply } from './aws-call.ts';

/** The embedded S3 with the queues of ElasticMQ, at one endpoint. */
export async function startElasticMqAws(
  embedded: AwsAccess,
  visibilitySeconds: number,
): Promise<AwsAccess & AsyncDisposable> {
  const elasticMq = await startElasticMqServer();
  const { credentials, region } = embedded.clientConfig;
  const sqs = createSqsClient({ endpoint: elasticMq.endpoint, region, credentials });
  const queues = await createQueues(sqs, visibilitySeconds);
  sqs.destroy();
  const router = await startRouter(embedded.clientConfig.endpoint, elasticMq.endpoint);
  return {
    environment: { ...embedded.environment, ...queues, AWS_ENDPOINT_URL: router.endpoint },
    clientConfig: { ...embedded.clientConfig, endpoint: router.endpoint },
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await elasticMq[Symbol.asyncDispose]();
    },
  };
}

type Queues = Record<'QUEUE_URL' | 'DEAD_LETTER_QUEUE_URL' | 'JOB_END_QUEUE_URL', string>;

async function createQueues(sqs: SQSClient, visibilitySeconds: number): Promise<Queues> {
  const VisibilityTimeout = String(visibilitySeconds);
  const create = async (QueueName: string, Attributes: Record<string, string>) =>
    (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const policyTo = async (QueueUrl: string, maxReceiveCount: number) => {
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    return JSON.stringify({ deadLetterTargetArn: Attributes?.['QueueArn'], maxReceiveCount });
  };
  const dead = await create('labelqueue-dlq', {});
  const deadEnds = await create('labelqueue-job-ends-dlq.fifo', { FifoQueue: 'true' });
  return {
    QUEUE_URL: await create('labelqueue', {
      VisibilityTimeout,
      RedrivePolicy: await policyTo(dead, MAX_RECEIVE_COUNT),
    }),
    DEAD_LETTER_QUEUE_URL: dead,
    JOB_END_QUEUE_URL: await create('labelqueue-job-ends.fifo', {
      VisibilityTimeout,
      FifoQueue: 'true',
      DelaySeconds: String(END_LOOK_DELAY_SECONDS),
      RedrivePolicy: await policyTo(deadEnds, END_LOOK_RECEIVES),
    }),
  };
}

/** What names an action of SQS goes there, the rest to S3. */
async function startRouter(s3: string, sqs: string): Promise<AsyncDisposable & { endpoint: string }> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer(async (request, response) => {
    const { method, headers, url = '/' } = request;
    const isForSqs = String(headers['x-amz-target']).startsWith('AmazonSQS.');
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const body = await buffer(request);
      reply(
        response,
        await ask(new URL(url, isForSqs ? sqs : s3), { agent, method, headers, signal: gone.signal }, body),
      );
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}
