import { z } from 'zod';
import { openEnvelope } from './envelopes.ts';
import { parseExactJson } from './exact-json.ts';
import { type ExternalImage, externalSchema, isExternal } from './external-message.ts';
import { type ImageRef, idWithMeta, imageRefSchema } from './image-ref.ts';
import { JOB_NAME, JOB_NAME_RULE } from './job-name.ts';
import { type JobRun, runField, runSchema } from './job-run.ts';
import { MAX_ATTEMPTS, MAX_ENVELOPES, MAX_HOPS, MAX_ID_CHARS, MAX_IMAGES_PER_MESSAGE } from './limits.ts';
import { MalformedMessage, malformed, quoteStart } from './malformed-message.ts';
import { isS3TestEvent, objectsOfBridgeEvent, objectsOfS3Event } from './s3-event.ts';
import { sqsJson } from './sqs-json.ts';

export { type ImageRef, imageRefSchema, MalformedMessage };

export const DEFAULT_JOB = 'default';

/** The name of a job. */
export const jobNameSchema = z.string().regex(JOB_NAME, JOB_NAME_RULE);

/** What a dead-letter message says of its image; a worker that gets it back ignores it. */
const deadLetterReasonSchema = z.object({
  code: z.string(),
  stage: z.string(),
  message: z.string(),
  attempts: z.int(),
});

const imageSchema = imageRefSchema.extend({ error: deadLetterReasonSchema.optional() });

/**
 * The product's own message, version 1. `run` is that of `job.json`, and missing where the job has none. `attempt` counts
 * from 1; `hops` is how often the worker has sent the images on in a new message, and is missing in what producers send.
 */
export const messageSchema = z.strictObject({
  v: z.literal(1),
  job: jobNameSchema,
  run: runSchema.optional(),
  attempt: z.int().min(1).max(MAX_ATTEMPTS),
  hops: z.int().min(0).max(MAX_HOPS).optional(),
  images: z.array(imageSchema).min(1).max(MAX_IMAGES_PER_MESSAGE),
});

export type DeadLetterReason = z.infer<typeof deadLetterReasonSchema>;
/**
 * A parsed message: which images of which run of a job, how often they have been tried, and how often they were sent on
 * (not at all when `hops` is missing).
 */
export type QueueMessage = { job: string; run?: string; attempt: number; hops?: number; images: ImageRef[] };
/** What a message says beside its images. */
export type Envelope = Omit<QueueMessage, 'images'>;

/** Whether the images of a message may be sent on in another message; otherwise they need their outcome now. */
export function maySendOn({ hops = 0 }: Envelope): boolean {
  return hops < MAX_HOPS;
}

/** The envelope of the next message of a chain, with the attempt of this one unless told otherwise. */
export function nextEnvelope({ job, run, attempt, hops = 0 }: Envelope, nextAttempt: number = attempt): Envelope {
  return { job, ...runField(run), attempt: nextAttempt, hops: hops + 1 };
}

/**
 * Reads the body of an SQS message in any of the accepted forms, also from within envelopes of SNS and EventBridge.
 * Exact repetitions of an image are counted once; an id that stands for two different URLs makes the body unreadable.
 * A message may have no images (S3's test event): there is nothing to do for it.
 */
export function parseMessage(body: string): QueueMessage | MalformedMessage {
  const message = readText(body, MAX_ENVELOPES);
  return message instanceof MalformedMessage ? message : withoutRepetitions(message);
}

/** @param envelopes how many may still be opened */
function readText(text: string, envelopes: number): QueueMessage | MalformedMessage {
  const parsed = parseJson(text);
  if (parsed === undefined) return bareUrl(text);
  if (typeof parsed === 'string') return bareUrl(parsed);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return new MalformedMessage('expected a JSON object', quoteStart(text));
  }
  return readObject(parsed, envelopes);
}

/** A byte order mark, as some editors and shells put before text, is not part of it. */
function parseJson(text: string): unknown {
  try {
    return parseExactJson(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

function bareUrl(text: string): QueueMessage | MalformedMessage {
  const url = text.trim();
  if (!/^(https?|s3):\/\/\S+$/i.test(url)) {
    return new MalformedMessage('expected JSON or a http, https or s3 URL', quoteStart(text));
  }
  return externalMessage([{ url }]);
}

/** What an object has decides which form it is taken for, so that the reason is about that form. */
function readObject(parsed: object, envelopes: number): QueueMessage | MalformedMessage {
  if ('v' in parsed) return ownMessage(parsed);
  if ('Records' in parsed) return externalMessage(objectsOfS3Event(parsed));
  if (isS3TestEvent(parsed)) return { job: DEFAULT_JOB, attempt: 1, images: [] };
  if (isExternal(parsed)) return parseExternal(parsed);
  const objects = objectsOfBridgeEvent(parsed);
  return objects === undefined ? readEnvelope(parsed, envelopes) : externalMessage(objects);
}

function ownMessage(parsed: object): QueueMessage | MalformedMessage {
  const result = messageSchema.safeParse(parsed);
  if (!result.success) return malformed(result.error);
  const { job, run, attempt, hops, images } = result.data;
  return { job, ...runField(run), attempt, ...(hops !== undefined && { hops }), images: images.map(withoutError) };
}

function withoutError({ id, url, meta }: z.infer<typeof messageSchema>['images'][number]): ImageRef {
  return meta === undefined ? { id, url } : { id, url, meta };
}

function parseExternal(parsed: object): QueueMessage | MalformedMessage {
  const result = externalSchema.safeParse(parsed);
  return result.success ? externalMessage(result.data) : malformed(result.error);
}

function readEnvelope(parsed: object, envelopes: number): QueueMessage | MalformedMessage {
  const envelope = openEnvelope(parsed);
  if (envelope === undefined) return parseExternal(parsed);
  if (envelope instanceof MalformedMessage) return envelope;
  if (envelopes === 0) return new MalformedMessage(`expected at most ${MAX_ENVELOPES} envelopes, one in the other`);
  const { content, name } = envelope;
  const message = typeof content === 'string' ? readText(content, envelopes - 1) : readObject(content, envelopes - 1);
  return message instanceof MalformedMessage ? message.within(name) : message;
}

function externalMessage(given: ExternalImage[] | MalformedMessage): QueueMessage | MalformedMessage {
  if (given instanceof MalformedMessage) return given;
  const images: ImageRef[] = [];
  const metaOf = new Map<string, string>();
  for (const image of given) {
    const { url, meta } = image;
    const id =
      image.id ?? (isOtherMeta(metaOf, image) ? idWithMeta({ url, ...(meta !== undefined && { meta }) }) : url);
    if (id.length > MAX_ID_CHARS) {
      return new MalformedMessage(
        `expected an id beside a URL of more than ${MAX_ID_CHARS} characters`,
        `none for ${quoteStart(url)}`,
      );
    }
    images.push(meta === undefined ? { id, url } : { id, url, meta });
  }
  return { job: DEFAULT_JOB, attempt: 1, images };
}

/** Whether the URL stood in the message before with other meta; each of them is an image then. */
function isOtherMeta(metaOf: Map<string, string>, { url, meta }: ExternalImage): boolean {
  const text = JSON.stringify(meta ?? null);
  const before = metaOf.get(url);
  if (before === undefined) metaOf.set(url, text);
  return before !== undefined && before !== text;
}

function withoutRepetitions(message: QueueMessage): QueueMessage | MalformedMessage {
  const byId = new Map<string, ImageRef>();
  for (const image of message.images) {
    const earlier = byId.get(image.id);
    if (earlier === undefined) byId.set(image.id, image);
    else if (earlier.url !== image.url) {
      return new MalformedMessage('expected each id once', `${quoteStart(image.id)} for two different URLs`);
    }
  }
  return byId.size === message.images.length ? message : { ...message, images: [...byId.values()] };
}

/** The body of a message in the product's own form; `parseMessage` gives it back. */
export function formatMessage({ job, run, attempt, hops, images }: QueueMessage): string {
  return sqsJson({ v: 1, job, run, attempt, hops, images });
}

/**
 * The body of a dead-letter message: one image with what went wrong. It is a valid queue message
 * with a fresh `attempt` and no `hops`, so moving it back to the queue is all that a redrive has to do.
 */
export function formatDeadLetter({ job, run }: JobRun, image: ImageRef, error: DeadLetterReason): string {
  return sqsJson({ v: 1, job, run, attempt: 1, images: [{ ...image, error }] });
}
