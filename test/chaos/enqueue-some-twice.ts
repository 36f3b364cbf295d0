import { runField } from '../../shared/contract/job-run.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import { packMessages } from '../../shared/contract/pack-messages.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import type { Random } from '../support/random.ts';

export const JOB = 'chaos';
/** Few, so that there are many messages to go wrong. */
const IMAGES_PER_MESSAGE = 10;
/** Share of the messages that stand on the queue twice. */
const TWICE_RATE = 0.05;

/** Enqueues as the product does, and then some of the same messages once more. */
export async function enqueueSomeTwice(
  target: JobTarget,
  images: ImageRef[],
  { random, notify }: { random: Random; notify: string },
): Promise<void> {
  const numbers = { perMessage: IMAGES_PER_MESSAGE, images: images.length };
  const plan = newJob({ job: JOB, source: 'chaos', sourceDigest: '', ...numbers, notify });
  const { run } = await enqueue(target, toAsync(images), plan);
  const messages = await Array.fromAsync(
    packMessages({ job: JOB, ...runField(run), attempt: 1 }, images, IMAGES_PER_MESSAGE),
  );
  const twice = messages.filter(() => random.happens(TWICE_RATE));
  await sendMessages(target.sqs, target.queueUrl, twice);
}

async function* toAsync<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}
