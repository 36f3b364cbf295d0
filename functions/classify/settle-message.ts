import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import { settle } from './settle.ts';
import { settlementOf } from './settlement.ts';
import type { ReadRecord } from './sort-records.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/** Decides on the outcomes of a message, makes them durable, and tells of it. Rejects as `settle` does. */
export async function settleMessage(
  { record, message }: ReadRecord,
  outcomes: Iterable<[ImageRef, ImageOutcome]>,
  { pipeline, destinations, telemetry, jobGuard, retryBaseSeconds, now, random }: WorkerDependencies,
): Promise<void> {
  const context = { model: pipeline.classifier.id, retryBaseSeconds, now: now(), random: random() };
  const settlement = settlementOf(message, outcomes, context);
  await settle(settlement, destinations);
  telemetry.settled(record.messageId, settlement);
  jobGuard.settled(message, settlement.results.length + settlement.failures.length);
}
