import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { withNamedCalls } from './named-calls.ts';

/**
 * A client that goes where its endpoint says. The SDK would follow the host in a queue's URL, also when
 * AWS_ENDPOINT_URL names another one; and with a host of another region its signature would be wrong anyway.
 */
export function createSqsClient(config: SQSClientConfig = {}): SQSClient {
  return withNamedCalls(new SQSClient({ useQueueUrlAsEndpoint: false, ...config }));
}
