import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import { persistOutcomes } from './persist-outcomes.ts';
import { planOutcomes } from './plan-outcomes.ts';
import type { ParsedRecord } from './triage-records.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/** Decides on the outcomes of a message, makes them durable, and tells of it. Rejects as `persistOutcomes` does. */
export async function settleMessage(
  { record, message }: ParsedRecord,
  outcomes: Iterable<[ImageRef, ImageOutcome]>,
  { pipeline, destinations, telemetry, jobGuard, retryBaseSeconds, now, random }: WorkerDependencies,
): Promise<void> {
  const context = { model: pipeline.classifier.id, retryBaseSeconds, now: now(), random: random() };
  const settlement = planOutcomes(message, outcomes, context);
  await persistOutcomes(settlement, destinations);
  telemetry.settled(record.messageId, settlement);
  jobGuard.settled(message, settlement.results.length + settlement.failures.length);
}
