import { PutObjectCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES } from '../contract/limits.ts';
import type { ImageRef } from '../contract/message.ts';
import { jobKey } from '../contract/object-keys.ts';
import { type PackedMessage, packMessages } from '../contract/pack-messages.ts';
import type { JobTarget } from './job-target.ts';
import { sendMessages } from './send-messages.ts';

/** Requests to SQS at once; more does not make one producer faster. */
const SENDS_AT_ONCE = 8;

export type EnqueueOptions = {
  job: string;
  /** Where the images come from, for people: a file's name, or `-`. */
  source: string;
  /** 1 to 1,000. */
  perMessage: number;
  /** Told how many images have been sent so far. */
  onProgress?: (images: number) => void;
};

export type EnqueuedJob = { job: string; images: number; messages: number };

/** The content of `job.json`. */
type JobDescription = EnqueuedJob & { v: 1; source: string; perMessage: number; at: string };

/**
 * Sends images to the queue, and then writes down what was sent in `jobs/<job>/job.json`. Reads
 * no further ahead than it sends.
 *
 * @throws {SendError} when SQS does not take a message; what was sent before stays sent
 */
export async function enqueue(
  target: JobTarget,
  images: AsyncIterable<ImageRef>,
  { job, source, perMessage, onProgress }: EnqueueOptions,
): Promise<EnqueuedJob> {
  const enqueued: EnqueuedJob = { job, images: 0, messages: 0 };
  await pMap(
    requestsOf(packMessages(job, 1, images, perMessage)),
    async (messages) => {
      await sendMessages(target.sqs, target.queueUrl, messages);
      enqueued.messages += messages.length;
      for (const message of messages) enqueued.images += message.images;
      onProgress?.(enqueued.images);
    },
    { concurrency: SENDS_AT_ONCE },
  );
  await writeJob(target, { v: 1, ...enqueued, source, perMessage, at: new Date().toISOString() });
  return enqueued;
}

/** As many messages as one SendMessageBatch takes. */
async function* requestsOf(messages: AsyncIterable<PackedMessage>): AsyncGenerator<PackedMessage[]> {
  let request: PackedMessage[] = [];
  let bytes = 0;
  for await (const message of messages) {
    const size = Buffer.byteLength(message.body);
    if (request.length === MAX_BATCH_ENTRIES || (request.length > 0 && bytes + size > MAX_MESSAGE_BYTES)) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(message);
    bytes += size;
  }
  if (request.length > 0) yield request;
}

async function writeJob({ s3, resultsBucket }: JobTarget, description: JobDescription): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: resultsBucket,
      Key: jobKey(description.job),
      Body: JSON.stringify(description),
      ContentType: 'application/json',
    }),
  );
}
