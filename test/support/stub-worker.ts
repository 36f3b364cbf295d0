import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { PartWriter } from '../../functions/classify/part-writer.ts';
import { persistOutcomes } from '../../functions/classify/persist-outcomes.ts';
import { planOutcomes } from '../../functions/classify/plan-outcomes.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import type { Classification } from '../../shared/contract/result-line.ts';
import type { TestAws } from '../../testkit/test-aws.ts';

const CAT: Classification = {
  labels: [{ label: 'Egyptian cat', score: 0.9, classId: 285 }],
  image: { width: 640, height: 427, format: 'jpeg', bytes: 75_638, sha256: '0'.repeat(64) },
};

/** What the stub makes of an image. */
export type Verdict = (image: ImageRef) => Classification | ImageFailure;

/** Every image is a cat, except those with `missing` in their ids. */
export const catsButMissing: Verdict = ({ id }) =>
  id.includes('missing') ? new ImageFailure('not_found', 'expected status 200, got 404') : CAT;

/**
 * Works the queue empty with the worker's own plan and writes, and a verdict in place of fetch,
 * decode and inference: for jobs of many images, where those would take minutes.
 *
 * @param most messages to take
 */
export async function workQueueEmpty(
  aws: Pick<TestAws, 'target'>,
  verdict: Verdict,
  most = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { sqs, s3, queueUrl: QueueUrl, deadLetterQueueUrl, resultsBucket } = aws.target;
  const context = { model: { name: 'stub', version: '1' }, retryBaseSeconds: 0, random: 0.5 };
  for (let taken = 0; taken < most; ) {
    const MaxNumberOfMessages = Math.min(10, most - taken);
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages }));
    if (Messages.length === 0) return;
    taken += Messages.length;
    const parts = new PartWriter(s3, resultsBucket);
    const settled = Messages.map(async ({ Body = '' }) => {
      const message = parseMessage(Body);
      if (message instanceof MalformedMessage) throw new Error(`expected a message, got ${Body}`);
      const outcomes = message.images.map(
        (image) => [image, verdict(image)] as [ImageRef, Classification | ImageFailure],
      );
      const plan = planOutcomes(message, outcomes, { ...context, now: new Date() });
      await persistOutcomes(plan, { sqs, queueUrl: QueueUrl, deadLetterQueueUrl, parts });
    });
    parts.flush();
    await Promise.all(settled);
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

/** No image is found. */
export const allFail: Verdict = () => catsButMissing({ id: 'missing', url: '' });

/** `<name>-<number>`, each with an address of its own. */
export function imagesNamed(name: string, count: number): ImageRef[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${name}-${index}`;
    return { id, url: `https://host.example/${id}.jpg` };
  });
}
