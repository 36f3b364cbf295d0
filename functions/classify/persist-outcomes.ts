import type { SQSClient } from '@aws-sdk/client-sqs';
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
import type { EndLooks } from './end-looks.ts';
import type { PartWriter } from './part-writer.ts';
import type { Settlement } from './plan-outcomes.ts';

/** Where outcomes go. */
export type Destinations = {
  sqs: SQSClient;
  queueUrl: string;
  deadLetterQueueUrl: string;
  parts: PartWriter;
  /** Where somebody announces the ends of runs; the one that `parts` has. */
  endLooks?: Pick<EndLooks, 'around'> | undefined;
};

/**
 * Makes the outcomes of a message durable. When it resolves, the message may be acknowledged; when
 * it rejects, it must not be: SQS delivers it again and the same work overwrites what was written.
 *
 * The lines come first and the dead-letter messages after them: an alarm on the DLQ then finds the
 * failure lines that explain it.
 */
export async function persistOutcomes(settlement: Settlement, to: Destinations): Promise<void> {
  const { message, results, failures } = settlement;
  await Promise.all([
    to.parts.write('results', message, results, message.images.length),
    to.parts.write(
      'failures',
      message,
      failures.map(({ line }) => line),
      message.images.length,
    ),
  ]);
  await sendMessages(to.sqs, to.deadLetterQueueUrl, deadLetters(settlement));
  await sendMessages(to.sqs, to.queueUrl, await Array.fromAsync(retries(settlement)), message.job);
  // What is dropped of a cancelled run leaves no line that would have somebody look.
  if (settlement.cancelled > 0) await to.endLooks?.around(message, async () => {});
}

/** One image a message, so that each can be redriven, or not, by itself. */
function deadLetters({ message, failures }: Settlement): OutgoingMessage[] {
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
 * What was too much for an invocation is sent on in halves: they go to different workers, and whatever an image costs,
 * after ten links there is a message for each, and ten of those are no more than an invocation has time for. Images of
 * hosts that have stopped answering stay together: they cost next to nothing, and more workers would ask those hosts.
 */
const HALVES = 2;

async function* retries({
  message,
  retries,
  putOff,
  decodeLater,
  notReached,
}: Settlement): AsyncGenerator<OutgoingMessage> {
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

/** In more messages where they do not fit so few. */
async function* inMessages(
  envelope: Envelope,
  images: readonly ImageRef[],
  messages: number,
): AsyncGenerator<OutgoingMessage> {
  const perMessage = Math.ceil(images.length / messages);
  for await (const { body } of packMessages(envelope, images, perMessage)) yield { body };
}
