import type { Context, LexV2Event, LexV2Result } from 'aws-lambda';
import { createImageClassifier } from '../../shared/classifier/image-classifier.ts';
import { CHAT_DEADLINE_RESERVE_MS } from '../../shared/contract/limits.ts';
import { startClassifyingFunction } from '../../shared/lambda/classifying-function.ts';
import { loggedHandler } from '../../shared/lambda/logged-handler.ts';
import { deadlineSignal } from '../../shared/runtime/deadline.ts';
import { chatSettingsFrom } from '../../shared/settings.ts';
import { converse, LABELS_IN_A_REPLY } from './converse.ts';
import { createTelemetry } from './telemetry.ts';

const settings = chatSettingsFrom(process.env);
const { logger, pipeline } = await startClassifyingFunction(settings);
const { fetch, classifier } = pipeline;
const telemetry = createTelemetry(logger);
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
export const handler = loggedHandler<LexV2Event, LexV2Result>(logger).handler(answer);
