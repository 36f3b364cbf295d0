import type { SQSRecord } from 'aws-lambda';
import { classifyImages, type ImageOutcome, type Pipeline } from '../../shared/classifier/classify-images.ts';
import type { ImageRef, QueueMessage } from '../../shared/contract/message.ts';
import { parseMessage, UnreadableMessage } from '../../shared/contract/message.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { type Destinations, settle } from './settle.ts';
import { settlementOf } from './settlement.ts';
import type { Telemetry } from './telemetry.ts';

export type WorkerDependencies = {
  pipeline: Pipeline;
  destinations: Destinations;
  telemetry: Telemetry;
  retryBaseSeconds: number;
  /** Injected so that tests decide them. */
  now: () => Date;
  random: () => number;
};

/** A message being worked on: it is settled once each of its images has an outcome. */
type MessageInWork = { record: SQSRecord; message: QueueMessage; outcomes: Map<ImageRef, ImageOutcome> };
type ImageInWork = { url: string; image: ImageRef; work: MessageInWork };

/**
 * Works through the records of one invocation. Each message is settled as soon as its last image
 * is, while the others go on.
 *
 * @param deadline aborted when it is time to write what there is
 * @returns the ids of the messages that must not be acknowledged (`batchItemFailures`)
 */
export async function processBatch(
  records: readonly SQSRecord[],
  dependencies: WorkerDependencies,
  deadline: AbortSignal,
): Promise<string[]> {
  const { pipeline, destinations, telemetry } = dependencies;
  const settled: Promise<string | undefined>[] = [];
  const images: ImageInWork[] = [];
  for (const record of records) {
    const message = parseMessage(record.body);
    if (message instanceof UnreadableMessage) {
      settled.push(acknowledgedAfter(record, telemetry, rejectMessage(record, message, dependencies)));
      continue;
    }
    const work: MessageInWork = { record, message, outcomes: new Map() };
    for (const image of message.images) images.push({ url: image.url, image, work });
  }

  await classifyImages(
    images,
    pipeline,
    deadline,
    ({ image, work }, outcome) => {
      work.outcomes.set(image, outcome);
      if (work.outcomes.size < work.message.images.length) return;
      settled.push(acknowledgedAfter(work.record, telemetry, settleMessage(work, dependencies)));
    },
    telemetry,
  );
  destinations.parts.flush();
  const unacknowledged = await Promise.all(settled);
  return unacknowledged.filter((messageId) => messageId !== undefined);
}

/** The message's id if what had to be made durable before its acknowledgement was not. */
async function acknowledgedAfter(
  record: SQSRecord,
  telemetry: Telemetry,
  durable: Promise<void>,
): Promise<string | undefined> {
  try {
    await durable;
    return undefined;
  } catch (error) {
    telemetry.unsettled(record.messageId, error);
    return record.messageId;
  }
}

async function settleMessage(
  { record, message, outcomes }: MessageInWork,
  dependencies: WorkerDependencies,
): Promise<void> {
  const { pipeline, destinations, telemetry, retryBaseSeconds, now, random } = dependencies;
  const settlement = settlementOf(message, outcomes, {
    model: pipeline.classifier.id,
    retryBaseSeconds,
    now: now(),
    random: random(),
  });
  await settle(settlement, destinations);
  telemetry.settled(record.messageId, settlement);
}

/** The body goes to the DLQ as it came: someone may still recognize it. */
async function rejectMessage(
  { body, messageId }: SQSRecord,
  { reason }: UnreadableMessage,
  { destinations: { sqs, deadLetterQueueUrl }, telemetry }: WorkerDependencies,
): Promise<void> {
  await sendMessages(sqs, deadLetterQueueUrl, [{ body, attributes: { reason } }]);
  telemetry.unreadable(messageId, reason);
}
