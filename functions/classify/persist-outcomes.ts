import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { runField } from '../../shared/contract/job-run.ts';
import { MAX_MESSAGE_BYTES } from '../../shared/contract/limits.ts';
import {
  type Envelope,
  formatDeadLetter,
  formatMessage,
  type ImageRef,
  nextEnvelope,
} from '../../shared/contract/message.ts';
import { packMessages } from '../../shared/contract/pack-messages.ts';
import { type OutgoingMessage, sendMessages } from '../../shared/jobs/send-messages.ts';
import { type OutcomePlan, planOutcomes } from './plan-outcomes.ts';
import type { ParsedRecord } from './triage-records.ts';
import type { Destinations, WorkerDependencies } from './worker-dependencies.ts';

/**
 * Plans the outcomes of a message, persists them and reports them.
 *
 * @throws as `persistOutcomes` does
 */
export async function settleMessage(
  { record, message }: ParsedRecord,
  outcomes: Iterable<[ImageRef, ImageOutcome]>,
  { pipeline, destinations, telemetry, jobGuard, retryBaseSeconds, now, random }: WorkerDependencies,
): Promise<void> {
  const context = { model: pipeline.classifier.id, retryBaseSeconds, now: now(), random: random() };
  const plan = planOutcomes(message, outcomes, context);
  await persistOutcomes(plan, destinations);
  telemetry.settled(record.messageId, plan);
  jobGuard.settled(message, plan.results.length + plan.failures.length);
}

/**
 * Makes the outcomes of a message durable. When it resolves, the message may be acknowledged. When it rejects, it must not
 * be: SQS delivers it again, and the same work overwrites what was written.
 *
 * Lines are written before dead-letter messages: an alarm on the DLQ then finds the failure lines that explain it.
 */
export async function persistOutcomes(plan: OutcomePlan, to: Destinations): Promise<void> {
  const { message, results, failures } = plan;
  const { parts, sqs } = to;
  const ofImages = message.images.length;
  const failureLines = failures.map(({ line }) => line);
  await Promise.all([
    parts.write('results', message, results, ofImages),
    parts.write('failures', message, failureLines, ofImages),
  ]);
  await sendMessages(sqs, to.deadLetterQueueUrl, deadLetters(plan));
  await sendMessages(sqs, to.queueUrl, await Array.fromAsync(nextMessages(plan)), message.job);
  // Dropped images of a cancelled run leave no line that would trigger a look at its end.
  if (plan.cancelled > 0) await to.endLooks?.around(message, async () => {});
}

/** One message per image, so that each can be redriven separately. */
function deadLetters({ message, failures }: OutcomePlan): OutgoingMessage[] {
  return failures.map(({ image, line: { error, attempt } }) => {
    const { code, stage } = error;
    const body = formatDeadLetter(message, image, { code, stage, message: error.message, attempts: attempt });
    // An image of nearly 1 MiB leaves no room for its error; its failure line has it.
    const fits = Buffer.byteLength(body) < MAX_MESSAGE_BYTES - 1_024;
    return {
      body: fits ? body : formatMessage({ job: message.job, ...runField(message.run), attempt: 1, images: [image] }),
      attributes: { job: message.job, code },
    };
  });
}

/**
 * Images that an invocation had no time for are sent on in halves: the halves go to different workers, and after ten hops
 * there is a message per image, which an invocation of ten messages always has time for. Images of hosts that do not respond
 * stay together: they cost next to nothing, and splitting them would let more workers call those hosts.
 */
const HALVES = 2;

async function* nextMessages(plan: OutcomePlan): AsyncGenerator<OutgoingMessage> {
  const { message, retries, putOff, decodeLater, notReached } = plan;
  yield* delayed(nextEnvelope(message, message.attempt + 1), retries);
  yield* delayed(nextEnvelope(message), putOff);
  yield* delayed(nextEnvelope(message), new Map([[decodeLater.delaySeconds, decodeLater.images]]), HALVES);
  yield* inMessages(nextEnvelope(message), notReached, HALVES);
}

async function* delayed(
  envelope: Envelope,
  byDelay: ReadonlyMap<number, readonly ImageRef[]>,
  messages = 1,
): AsyncGenerator<OutgoingMessage> {
  for (const [delaySeconds, images] of byDelay) {
    for await (const outgoing of inMessages(envelope, images, messages)) yield { ...outgoing, delaySeconds };
  }
}

/** @param messages how many at least; more where the images do not fit */
async function* inMessages(
  envelope: Envelope,
  images: readonly ImageRef[],
  messages: number,
): AsyncGenerator<OutgoingMessage> {
  const perMessage = Math.ceil(images.length / messages);
  for await (const { body } of packMessages(envelope, images, perMessage)) yield { body };
}
