import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type ImageRef, messageSchema, parseMessage, UnreadableMessage } from '../contract/message.ts';
import { partKey } from '../contract/object-keys.ts';
import { packMessages } from '../contract/pack-messages.ts';
import type { FailureLine } from '../contract/result-line.ts';
import { type DeadLetter, scanDeadLetters } from './dead-letters.ts';
import type { JobTarget } from './job-target.ts';
import { listParts, type Part } from './list-parts.ts';
import { partLines } from './read-outcomes.ts';
import { sendMessages } from './send-messages.ts';

export type RedriveOptions = {
  job: string;
  /** Which failures; undefined for all. */
  codes: ReadonlySet<string> | undefined;
  perMessage: number;
  /** Only counts. */
  dryRun: boolean;
};

/** How many images were sent again, and how many dead-letter messages were taken away for it. */
export type Redriven = { images: number; deadLetters: number };

/**
 * Sends failed images of a job again, as attempt 1, and takes their failures away: from the failure
 * files and from the DLQ. Interrupted at any point, it is simply run again: an image is sent before
 * its failure is taken away, and one that was sent twice is counted once.
 *
 * @param now letters that come later belong to failures that come later, and stay
 */
export async function redrive(target: JobTarget, options: RedriveOptions, now: Date): Promise<Redriven> {
  const sent = new Set<string>();
  const stillFailed = new Set<string>();
  for (const part of await listParts(target, 'failures', options.job)) {
    await redrivePart(target, part, options, sent, stillFailed);
  }
  if (options.dryRun) return { images: sent.size, deadLetters: 0 };
  const deadLetters = await scanDeadLetters(target, async (letter) => {
    if (letter.sentAt > now) return false;
    return isDone(target, letter, options, sent, stillFailed);
  });
  return { images: sent.size, deadLetters };
}

async function redrivePart(
  target: JobTarget,
  part: Part,
  { job, codes, perMessage, dryRun }: RedriveOptions,
  sent: Set<string>,
  stillFailed: Set<string>,
): Promise<void> {
  const lines = await Array.fromAsync(partLines<FailureLine>(target, part.key));
  const chosen = lines.filter(({ error }) => codes === undefined || codes.has(error.code));
  const left = lines.filter((line) => !chosen.includes(line));
  for (const { id } of left) stillFailed.add(id);
  const images = chosen.filter(({ id }) => !sent.has(id)).map(toImage);
  for (const { id } of images) sent.add(id);
  if (dryRun || chosen.length === 0) return;
  await sendMessages(
    target.sqs,
    target.queueUrl,
    await Array.fromAsync(packMessages({ job, attempt: 1 }, images, perMessage)),
  );
  await replacePart(target, part, left);
}

function toImage({ id, url, meta }: FailureLine): ImageRef {
  return meta === undefined ? { id, url } : { id, url, meta };
}

/** What is left is written before the old file goes. */
async function replacePart(
  { s3, resultsBucket: Bucket }: JobTarget,
  { key }: Part,
  left: FailureLine[],
): Promise<void> {
  const [first] = left;
  if (first !== undefined) {
    const Body = left.map((line) => `${JSON.stringify(line)}\n`).join('');
    const Key = partKey('failures', first.job, left);
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/x-ndjson' }));
  }
  await s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
}

/**
 * Whether a letter of the DLQ may go: its images were sent again, now or by a redrive that was
 * interrupted. A letter that SQS moved there by itself has no failure line, so it is sent here.
 */
async function isDone(
  { sqs, queueUrl }: JobTarget,
  { body }: DeadLetter,
  { job, codes }: RedriveOptions,
  sent: Set<string>,
  stillFailed: ReadonlySet<string>,
): Promise<boolean> {
  const message = parseMessage(body);
  if (message instanceof UnreadableMessage || message.job !== job) return false;
  if (message.images.some(({ id }) => stillFailed.has(id))) return false;
  if (tellsItsError(body)) return true;
  const unsent = message.images.filter(({ id }) => !sent.has(id));
  if (unsent.length === 0) return true;
  if (codes !== undefined && !codes.has('worker_crashed')) return false;
  await sendMessages(sqs, queueUrl, await Array.fromAsync(packMessages({ job, attempt: 1 }, unsent)));
  for (const { id } of unsent) sent.add(id);
  return true;
}

/** The worker writes what went wrong into the letters that it sends; SQS does not. */
function tellsItsError(body: string): boolean {
  const parsed = messageSchema.safeParse(parseJson(body));
  return parsed.success && parsed.data.images.every(({ error }) => error !== undefined);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
