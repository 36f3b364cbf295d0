import { z } from 'zod';
import { parseExactJson } from './exact-json.ts';
import { type JobRun, runField, runSchema } from './job-run.ts';
import {
  MAX_ATTEMPTS,
  MAX_HOPS,
  MAX_ID_CHARS,
  MAX_IMAGES_PER_MESSAGE,
  MAX_META_DEPTH,
  MAX_URL_CHARS,
} from './limits.ts';
import { sqsJson } from './sqs-json.ts';

export const DEFAULT_JOB = 'default';

/** A job's name stands in S3 keys and in Hive partitions (`job=<name>`), so it is kept plain. */
export const jobNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    '1 to 100 letters, digits, ".", "_" or "-", starting with a letter or digit',
  );

const urlSchema = z.string().min(1).max(MAX_URL_CHARS);
const metaSchema = z
  .custom((meta) => !isDeeperThan(MAX_META_DEPTH, meta), `expected at most ${MAX_META_DEPTH} levels of nesting`)
  .meta({ type: 'object', description: `JSON that comes back in the result line; at most ${MAX_META_DEPTH} levels` })
  .pipe(z.custom<Meta>(isJsonObject, 'expected an object'));

/** JSON; a number whose digits JavaScript would not keep is an object of `JSON.rawJSON`, see `parseExactJson`. */
type Meta = Record<string, z.core.util.JSONType>;

/** What comes here was parsed from JSON, so only its kind is checked: a copy would lose the exact numbers. */
function isJsonObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

/** What a dead-letter message says of its image; a worker that gets it back ignores it. */
const pastErrorSchema = z.object({
  code: z.string(),
  stage: z.string(),
  message: z.string(),
  attempts: z.int(),
});

/** An image as producers name it. */
export const imageRefSchema = z.strictObject({
  id: z.string().min(1).max(MAX_ID_CHARS),
  url: urlSchema,
  meta: metaSchema.optional(),
});
const imageSchema = imageRefSchema.extend({ error: pastErrorSchema.optional() });

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

/** An image to classify. `id` is unique within its job. */
export type ImageRef = { id: string; url: string; meta?: z.infer<typeof metaSchema> };
export type PastError = z.infer<typeof pastErrorSchema>;
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

/** Why a body is none of the forms that are accepted; only of characters that SQS takes. */
export class UnreadableMessage {
  /** For logs: nothing of the body is in it but the names of fields that no form has. */
  readonly expected: string;
  /** For those who have the body before them anyway: what was expected, and the start of what came. */
  readonly reason: string;

  constructor(expected: string, got?: string) {
    this.expected = sqsText(expected);
    this.reason = got === undefined ? this.expected : sqsText(`${expected}, got ${got}`);
  }
}

function sqsText(text: string): string {
  return text.replaceAll(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}

/** The forms that other producers send: a URL, or an object that names one; `id` may be missing. */
const foreignFields = { id: imageSchema.shape.id.optional(), meta: imageSchema.shape.meta };
const foreignImageSchema = z.union([
  urlSchema.transform((url) => ({ url })),
  z.looseObject({ url: urlSchema, ...foreignFields }),
  z
    .looseObject({ imagelink: urlSchema, ...foreignFields })
    .transform(({ imagelink, id, meta }) => ({ url: imagelink, id, meta })),
]);
const foreignSchema = z.union(
  [
    z
      .looseObject({ images: z.array(foreignImageSchema).min(1).max(MAX_IMAGES_PER_MESSAGE) })
      .transform(({ images }) => images),
    foreignImageSchema.transform((image) => [image]),
  ],
  `expected v, url, imagelink, images (1 to ${MAX_IMAGES_PER_MESSAGE}) or Records, and URLs of at most ${MAX_URL_CHARS} characters`,
);
type ForeignImage = { url: string; id?: string | undefined; meta?: ImageRef['meta'] | undefined };

const s3EventSchema = z.looseObject({
  Records: z
    .array(
      z.looseObject({
        eventSource: z.literal('aws:s3'),
        eventName: z.string(),
        s3: z.object({
          bucket: z.object({ name: z.string().min(1) }),
          object: z.object({ key: z.string().min(1) }),
        }),
      }),
    )
    .min(1),
});
/** S3 sends this once, when a bucket's notifications are set up; it names no object. */
const s3TestEventSchema = z.looseObject({ Service: z.literal('Amazon S3'), Event: z.literal('s3:TestEvent') });

/**
 * Reads the body of an SQS message in any of the accepted forms. Exact repetitions of an image
 * are counted once; an id that stands for two different URLs makes the body unreadable.
 * A message may have no images (S3's test event): there is nothing to do for it.
 */
export function parseMessage(body: string): QueueMessage | UnreadableMessage {
  const parsed = parseJson(body);
  if (parsed === undefined) return bareUrl(body);
  const message = typeof parsed === 'string' ? bareUrl(parsed) : readObject(parsed, body);
  return message instanceof UnreadableMessage ? message : withoutRepetitions(message);
}

function parseJson(body: string): unknown {
  try {
    return parseExactJson(body);
  } catch {
    return undefined;
  }
}

function bareUrl(text: string): QueueMessage | UnreadableMessage {
  const url = text.trim();
  if (!/^(https?|s3):\/\/\S+$/i.test(url)) {
    return new UnreadableMessage('expected JSON or a http, https or s3 URL', quoteStart(text));
  }
  return foreignMessage([{ url }]);
}

function readObject(parsed: unknown, body: string): QueueMessage | UnreadableMessage {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return new UnreadableMessage('expected a JSON object', quoteStart(body));
  }
  if ('v' in parsed) return ownMessage(parsed);
  if ('Records' in parsed) return s3Event(parsed);
  if (s3TestEventSchema.safeParse(parsed).success) return { job: DEFAULT_JOB, attempt: 1, images: [] };
  const result = foreignSchema.safeParse(parsed);
  return result.success ? foreignMessage(result.data) : unreadable(result.error);
}

function ownMessage(parsed: object): QueueMessage | UnreadableMessage {
  const result = messageSchema.safeParse(parsed);
  if (!result.success) return unreadable(result.error);
  const { job, run, attempt, hops, images } = result.data;
  return { job, ...runField(run), attempt, ...(hops !== undefined && { hops }), images: images.map(withoutError) };
}

function withoutError({ id, url, meta }: z.infer<typeof imageSchema>): ImageRef {
  return meta === undefined ? { id, url } : { id, url, meta };
}

function foreignMessage(given: ForeignImage[]): QueueMessage | UnreadableMessage {
  const images: ImageRef[] = [];
  for (const { url, id = url, meta } of given) {
    if (id.length > MAX_ID_CHARS) {
      return new UnreadableMessage(
        `expected an id beside a URL of more than ${MAX_ID_CHARS} characters`,
        `none for ${quoteStart(url)}`,
      );
    }
    images.push(meta === undefined ? { id, url } : { id, url, meta });
  }
  return { job: DEFAULT_JOB, attempt: 1, images };
}

function s3Event(parsed: object): QueueMessage | UnreadableMessage {
  const result = s3EventSchema.safeParse(parsed);
  if (!result.success) return unreadable(result.error);
  const other = result.data.Records.find((record) => !record.eventName.startsWith('ObjectCreated:'));
  if (other !== undefined) {
    return new UnreadableMessage('expected S3 events ObjectCreated:*', other.eventName);
  }
  return foreignMessage(
    result.data.Records.map(({ s3 }) => ({ url: `s3://${s3.bucket.name}/${decodeEventKey(s3.object.key)}` })),
  );
}

/** S3 form-encodes keys in its events; a key that is not encoded that way is taken as it is. */
function decodeEventKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}

function withoutRepetitions(message: QueueMessage): QueueMessage | UnreadableMessage {
  const byId = new Map<string, ImageRef>();
  for (const image of message.images) {
    const earlier = byId.get(image.id);
    if (earlier === undefined) byId.set(image.id, image);
    else if (earlier.url !== image.url) {
      return new UnreadableMessage('expected each id once', `${quoteStart(image.id)} for two different URLs`);
    }
  }
  return byId.size === message.images.length ? message : { ...message, images: [...byId.values()] };
}

function unreadable(error: z.ZodError): UnreadableMessage {
  return new UnreadableMessage(z.prettifyError(error).replaceAll('\n', ' ').slice(0, 500));
}

/** The query of a URL may hold a signature, so no more than its start is ever shown. */
function quoteStart(text: string): string {
  const start = text.split('?', 1)[0] ?? '';
  return JSON.stringify(start.length > 80 || start.length < text.length ? `${start.slice(0, 80)}…` : start);
}

/** The body of a message in the product's own form; `parseMessage` gives it back. */
export function formatMessage({ job, run, attempt, hops, images }: QueueMessage): string {
  return sqsJson({ v: 1, job, run, attempt, hops, images });
}

/**
 * The body of a dead-letter message: one image with what went wrong. It is a valid queue message
 * with a fresh `attempt` and no `hops`, so moving it back to the queue is all that a redrive has to do.
 */
export function formatDeadLetter({ job, run }: JobRun, image: ImageRef, error: PastError): string {
  return sqsJson({ v: 1, job, run, attempt: 1, images: [{ ...image, error }] });
}
