import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { createImageClassifier } from '../../shared/classifier/image-classifier.ts';
import { API_DEADLINE_RESERVE_MS, MAX_API_TOP_K, SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { startClassifyingFunction } from '../../shared/lambda/classifying-function.ts';
import { loggedHandler } from '../../shared/lambda/logged-handler.ts';
import { deadlineSignal } from '../../shared/runtime/deadline.ts';
import { apiSettingsFrom } from '../../shared/settings.ts';
import { createApi } from './api.ts';
import { createTelemetry } from './telemetry.ts';

const settings = apiSettingsFrom(process.env);
const { logger, s3, pipeline } = await startClassifyingFunction(settings);
const { fetch, classifier, topK } = pipeline;
const telemetry = createTelemetry(logger);
const { queueUrl, deadLetterQueueUrl, resultsBucket, jobEndQueueUrl } = settings;
const sqs = createSqsClient({ requestHandler: SDK_REQUEST_OPTIONS });
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
export const handler = loggedHandler<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>(logger).handler(answer);
