import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { createImageClassifier } from '../../shared/classifier/image-classifier.ts';
import { createPipeline } from '../../shared/classifier/pipeline.ts';
import { API_DEADLINE_RESERVE_MS, MAX_API_TOP_K, SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { deadlineSignal } from '../../shared/runtime/deadline.ts';
import { markStart } from '../../shared/runtime/start-marks.ts';
import { apiSettingsFrom } from '../../shared/settings.ts';
import { createApi } from './api.ts';
import { createTelemetry } from './telemetry.ts';

markStart('labelqueue:modules-loaded');
const settings = apiSettingsFrom(process.env);
const logger = new Logger({ serviceName: settings.serviceName });
const telemetry = createTelemetry(logger);
// Source buckets may be in other regions.
const s3 = createS3Client({ requestHandler: SDK_REQUEST_OPTIONS, followRegionRedirects: true });
const { queueUrl, deadLetterQueueUrl, resultsBucket, jobEndQueueUrl } = settings;
const sqs = createSqsClient({ requestHandler: SDK_REQUEST_OPTIONS });
const { fetch, classifier, topK } = await createPipeline(settings, s3);
for (const note of classifier.notes) logger.warn('model', { note });

const api = createApi({
  classifier: createImageClassifier(classifier, Math.max(MAX_API_TOP_K, topK), telemetry.batch),
  fetch,
  model: classifier.id,
  topK,
  target: { sqs, s3, queueUrl, deadLetterQueueUrl, resultsBucket, jobEndQueueUrl },
  telemetry,
});

async function answer(event: APIGatewayProxyEventV2, context: Context): Promise<APIGatewayProxyStructuredResultV2> {
  return api(event, deadlineSignal(context.getRemainingTimeInMillis(), API_DEADLINE_RESERVE_MS));
}

/** The HTTP API: takes API Gateway's events, returns its responses. */
export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  // Explicit, since a variable of Powertools could otherwise turn on logging of whole events.
  .use(injectLambdaContext(logger, { resetKeys: true, logEvent: false }))
  .handler(answer);
