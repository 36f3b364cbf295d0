import { openEnvelope } from './envelopes.ts';
import { parseJson } from './exact-json.ts';
import { type ExternalImage, externalSchema, isExternal } from './external-message.ts';
import { type ImageRef, idWithMeta, toImageRef } from './image-ref.ts';
import { runField } from './job-run.ts';
import { MAX_ENVELOPES, MAX_ID_CHARS } from './limits.ts';
import { MalformedMessage, malformed, quoteStart } from './malformed-message.ts';
import { DEFAULT_JOB, messageSchema, type QueueMessage } from './message.ts';
import { isS3TestEvent, objectsOfBridgeEvent, objectsOfS3Event } from './s3-event.ts';

export { MalformedMessage };

/**
 * Parses the body of an SQS message in any of the accepted forms, within envelopes of SNS and EventBridge too. Exact
 * duplicates of an image are dropped; an id with two different URLs makes the body malformed. A message may have no images
 * (S3's test event): there is nothing to do for it.
 */
export function parseMessage(body: string): QueueMessage | MalformedMessage {
  const message = readText(body, MAX_ENVELOPES);
  return message instanceof MalformedMessage ? message : withoutDuplicates(message);
}

/** @param envelopes how many more may be opened */
function readText(text: string, envelopes: number): QueueMessage | MalformedMessage {
  // A byte order mark, which some editors and shells put before text, is not part of it.
  const parsed = parseJson(text.replace(/^\uFEFF/, ''));
  if (parsed === undefined) return bareUrl(text);
  if (typeof parsed === 'string') return bareUrl(parsed);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return new MalformedMessage('expected a JSON object', quoteStart(text));
  }
  return readObject(parsed, envelopes);
}

function bareUrl(text: string): QueueMessage | MalformedMessage {
  const url = text.trim();
  if (!/^(https?|s3):\/\/\S+$/i.test(url)) {
    return new MalformedMessage('expected JSON or a http, https or s3 URL', quoteStart(text));
  }
  return externalMessage([{ url }]);
}

/** The fields of an object decide its form, so that the reason names fields of that form. */
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
  return { job, ...runField(run), attempt, ...(hops !== undefined && { hops }), images: images.map(toImageRef) };
}

function parseExternal(parsed: object): QueueMessage | MalformedMessage {
  const result = externalSchema.safeParse(parsed);
  return result.success ? externalMessage(result.data) : malformed(result.error);
}

function readEnvelope(parsed: object, envelopes: number): QueueMessage | MalformedMessage {
  const envelope = openEnvelope(parsed);
  if (envelope === undefined) return parseExternal(parsed);
  if (envelope instanceof MalformedMessage) return envelope;
  if (envelopes === 0) return new MalformedMessage(`expected at most ${MAX_ENVELOPES} nested envelopes`);
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
    images.push(toImageRef({ id, url, meta }));
  }
  return { job: DEFAULT_JOB, attempt: 1, images };
}

/** Whether the message has named the URL before with other meta; each of them is then a separate image. */
function isOtherMeta(metaOf: Map<string, string>, { url, meta }: ExternalImage): boolean {
  const text = JSON.stringify(meta ?? null);
  const before = metaOf.get(url);
  if (before === undefined) metaOf.set(url, text);
  return before !== undefined && before !== text;
}

function withoutDuplicates(message: QueueMessage): QueueMessage | MalformedMessage {
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
