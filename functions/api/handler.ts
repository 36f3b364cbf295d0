import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { S3Client } from '@aws-sdk/client-s3';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { createImageClassifier } from '../../shared/classifier/image-classifier.ts';
import { createPipeline } from '../../shared/classifier/pipeline.ts';
import { API_DEADLINE_RESERVE_MS, AWS_REQUEST_TIMEOUT_MS, MAX_TOP } from '../../shared/contract/limits.ts';
import { apiSettingsFrom } from '../../shared/contract/settings.ts';
import { markStart } from '../../shared/contract/start-marks.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { createApi } from './api.ts';
import { createTelemetry } from './telemetry.ts';

markStart('labelqueue:modules-loaded');
const settings = apiSettingsFrom(process.env);
const logger = new Logger({ serviceName: settings.serviceName });
const telemetry = createTelemetry(logger);
/** The SDK itself waits for ever. */
const requestHandler = { requestTimeout: AWS_REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true };
// Source buckets may be in other regions.
const s3 = new S3Client({ requestHandler, followRegionRedirects: true });
const { queueUrl, deadLetterQueueUrl, resultsBucket } = settings;
const { fetch, classifier, topK } = await createPipeline(settings, s3);

const api = createApi({
  classifier: createImageClassifier(classifier, Math.max(MAX_TOP, topK), telemetry.batch),
  fetch,
  model: classifier.id,
  topK,
  target: { sqs: createSqsClient({ requestHandler }), s3, queueUrl, deadLetterQueueUrl, resultsBucket },
  telemetry,
});

async function answer(event: APIGatewayProxyEventV2, context: Context): Promise<APIGatewayProxyStructuredResultV2> {
  const ms = Math.max(0, context.getRemainingTimeInMillis() - API_DEADLINE_RESERVE_MS);
  return api(event, AbortSignal.timeout(ms));
}

/** The HTTP API: API Gateway's requests in, its responses out. */
export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  // Said explicitly, since a variable of Powertools would else turn whole events on.
  .use(injectLambdaContext(logger, { resetKeys: true, logEvent: false }))
  .handler(answer);
