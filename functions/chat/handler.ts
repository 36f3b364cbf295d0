import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context, LexV2Event, LexV2Result } from 'aws-lambda';
import { createImageClassifier } from '../../shared/classifier/image-classifier.ts';
import { createPipeline } from '../../shared/classifier/pipeline.ts';
import { CHAT_DEADLINE_RESERVE_MS, SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import { deadlineSignal } from '../../shared/runtime/deadline.ts';
import { markStart } from '../../shared/runtime/start-marks.ts';
import { chatSettingsFrom } from '../../shared/settings.ts';
import { converse, LABELS_IN_A_REPLY } from './converse.ts';
import { createTelemetry } from './telemetry.ts';

markStart('labelqueue:modules-loaded');
const settings = chatSettingsFrom(process.env);
const logger = new Logger({ serviceName: settings.serviceName });
const telemetry = createTelemetry(logger);
// Source buckets may be in other regions.
const s3 = createS3Client({ requestHandler: SDK_REQUEST_OPTIONS, followRegionRedirects: true });
const { fetch, classifier } = await createPipeline(settings, s3);
for (const note of classifier.notes) logger.warn('model', { note });
const dependencies = {
  classifier: createImageClassifier(classifier, LABELS_IN_A_REPLY, telemetry.batch),
  fetch,
  telemetry,
};

async function answer(event: LexV2Event, context: Context): Promise<LexV2Result> {
  const signal = deadlineSignal(context.getRemainingTimeInMillis(), CHAT_DEADLINE_RESERVE_MS);
  return converse(event, dependencies, signal);
}

/** The chatbot: takes what Lex V2 understood, returns what the bot says. */
export const handler = middy<LexV2Event, LexV2Result>()
  // Explicit, since a variable of Powertools could otherwise turn on logging of whole events.
  .use(injectLambdaContext(logger, { resetKeys: true, logEvent: false }))
  .handler(answer);
