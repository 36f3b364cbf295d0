import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import type { DeadLetter } from '../../shared/jobs/dead-letters.ts';
import { type FailedImage, failedImagesIn } from '../../shared/jobs/redrive.ts';
import type { DeadLetterFilter, DeadLetterRow } from '../contract/dead-letters.ts';
import { displayHost, displayText } from './display-text.ts';

/** The filter value for malformed messages, in place of an error code. */
const UNREADABLE = 'unreadable';
const MAX_IMAGES = 20;
const MAX_MESSAGE_CHARS = 200;
/** Searchable length of a failure's message. */
const MAX_KEPT_MESSAGE_CHARS = 1_000;

type LetterImage = FailedImage & { attempts: number };

/** A dead letter, as read. */
export type ReadLetter = {
  letterId: string;
  sentAt: number;
  reason: string | undefined;
  job: string | undefined;
  run: string | undefined;
  images: LetterImage[];
  /** The length of its body. */
  bodyChars: number;
  /** The beginning of a malformed message. */
  unreadableBody: string | undefined;
};

export function readLetter({ id, body, reason, sentAt }: DeadLetter): ReadLetter {
  const message = parseMessage(body);
  const common = { letterId: id, sentAt: sentAt.getTime(), reason, bodyChars: body.length };
  if (message instanceof MalformedMessage) {
    const unreadable = { job: undefined, run: undefined, images: [], unreadableBody: copied(displayText(body)) };
    return { ...common, ...unreadable, reason: reason ?? message.reason };
  }
  // Without `meta`, which belongs to the producer and may be most of the letter.
  const images = failedImagesIn(body, message.images).map(({ id, url, error, attempts = message.attempt }) => ({
    ...{ id, url, attempts },
    error: { code: error.code, message: copied(error.message.slice(0, MAX_KEPT_MESSAGE_CHARS)) },
  }));
  return { ...common, job: message.job, run: message.run, images, unreadableBody: undefined };
}

/** Whether one of its images, or a letter without images, matches the whole filter. */
export function fits(letter: ReadLetter, filter: DeadLetterFilter): boolean {
  if (filter.job !== undefined && letter.job !== filter.job) return false;
  if (letter.unreadableBody === undefined) return letter.images.some((image) => imageFits(image, filter));
  const { code, host, text } = filter;
  return host === undefined && (code === undefined || code === UNREADABLE) && contains([letter.reason ?? ''], text);
}

/** Whether all images of the letter match the filter. */
export function fitsEntirely(letter: ReadLetter, filter: DeadLetterFilter): boolean {
  return fits(letter, filter) && letter.images.every((image) => imageFits(image, filter));
}

/** The approximate memory of a row: its texts. */
export function charsOf({ images, unreadableBody }: ReadLetter): number {
  const texts = images.map(({ id, url, error }) => id.length + url.length + error.message.length);
  return texts.reduce((sum, chars) => sum + chars, unreadableBody?.length ?? 0);
}

/** Whether an image matches the filter. */
export function imageFits({ id, url, error }: FailedImage, { code, host, text }: DeadLetterFilter): boolean {
  if (code !== undefined && error.code !== code) return false;
  if (host !== undefined && displayHost(url) !== host) return false;
  return contains([id, url, error.message], text);
}

function contains(texts: readonly string[], searched: string | undefined): boolean {
  if (searched === undefined) return true;
  const lower = searched.toLowerCase();
  // Only displayed text is searched: otherwise a signature could be guessed character by character.
  return texts.some((text) => displayText(text).toLowerCase().includes(lower));
}

/** The filter values of a letter. */
export function facetsOf({ job, images, unreadableBody }: ReadLetter): Record<'job' | 'code' | 'host', Set<string>> {
  return {
    job: new Set(job === undefined ? [] : [job]),
    code: new Set(unreadableBody === undefined ? images.map(({ error }) => displayText(error.code)) : [UNREADABLE]),
    host: new Set(images.map(({ url }) => displayHost(url))),
  };
}

/** The letter reduced to what a row shows: many are kept, and each may be a megabyte. */
export function cutToRow(letter: ReadLetter): ReadLetter & { moreImages: number } {
  const { images } = letter;
  return { ...letter, images: images.slice(0, MAX_IMAGES), moreImages: Math.max(0, images.length - MAX_IMAGES) };
}

/** A substring would keep the whole text in memory. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}

/** @param thumbnailOf the address of an image's picture */
export function letterRow(
  letter: ReturnType<typeof cutToRow>,
  thumbnailOf: (job: string, url: string) => string,
): DeadLetterRow {
  const { letterId, sentAt, reason, job, run, images, moreImages, unreadableBody } = letter;
  return {
    letterId: displayText(letterId),
    sentAt,
    reason: reason === undefined ? null : displayText(reason),
    job: job ?? null,
    run: run ?? null,
    images: images.map(({ id, url, error, attempts }) => ({
      id: displayText(id),
      url: displayText(url),
      host: displayHost(url),
      code: displayText(error.code),
      message: displayText(error.message, MAX_MESSAGE_CHARS),
      attempts,
      thumbnail: thumbnailOf(job ?? '-', url),
    })),
    moreImages,
    unreadableBody: unreadableBody ?? null,
  };
}
