import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import type { DeadLetter } from '../../shared/jobs/dead-letters.ts';
import { type FailedImage, failedImagesIn } from '../../shared/jobs/redrive.ts';
import type { DeadLetterFilter, DeadLetterRow } from '../contract.ts';
import { shownHost, shownText } from './shown-text.ts';

/** What a letter that is not a message is found by, in place of an error code. */
const UNREADABLE = 'unreadable';
const MAX_IMAGES = 20;
const MAX_MESSAGE_CHARS = 200;
/** Of a failure's message, what may be searched. */
const MAX_KEPT_MESSAGE_CHARS = 1_000;

type LetterImage = FailedImage & { attempts: number };

/** A dead letter that was read. */
export type ReadLetter = {
  letterId: string;
  sentAt: number;
  reason: string | undefined;
  job: string | undefined;
  run: string | undefined;
  images: LetterImage[];
  /** How long the letter was. */
  bodyChars: number;
  /** The beginning of a letter that is not a message. */
  unreadableBody: string | undefined;
};

export function readLetter({ id, body, reason, sentAt }: DeadLetter): ReadLetter {
  const message = parseMessage(body);
  const common = { letterId: id, sentAt: sentAt.getTime(), reason, bodyChars: body.length };
  if (message instanceof MalformedMessage) {
    const unreadable = { job: undefined, run: undefined, images: [], unreadableBody: copied(shownText(body)) };
    return { ...common, ...unreadable, reason: reason ?? message.reason };
  }
  // Not `meta`: it is the producer's, and may be nearly all of the letter.
  const images = failedImagesIn(body, message.images).map(({ id, url, error, attempts = message.attempt }) => ({
    ...{ id, url, attempts },
    error: { code: error.code, message: copied(error.message.slice(0, MAX_KEPT_MESSAGE_CHARS)) },
  }));
  return { ...common, job: message.job, run: message.run, images, unreadableBody: undefined };
}

/** Whether one image of the letter, or a letter without any, fits all that is given. */
export function fits(letter: ReadLetter, filter: DeadLetterFilter): boolean {
  if (filter.job !== undefined && letter.job !== filter.job) return false;
  if (letter.unreadableBody === undefined) return letter.images.some((image) => imageFits(image, filter));
  const { code, host, text } = filter;
  return host === undefined && (code === undefined || code === UNREADABLE) && contains([letter.reason ?? ''], text);
}

/** Whether nothing of the letter is left when what fits is taken out of it. */
export function fitsWhole(letter: ReadLetter, filter: DeadLetterFilter): boolean {
  return fits(letter, filter) && letter.images.every((image) => imageFits(image, filter));
}

/** How much memory a row takes, about: its texts. */
export function charsOf({ images, unreadableBody }: ReadLetter): number {
  const texts = images.map(({ id, url, error }) => id.length + url.length + error.message.length);
  return texts.reduce((sum, chars) => sum + chars, unreadableBody?.length ?? 0);
}

/** Whether an image fits all that a filter says of images. */
export function imageFits({ id, url, error }: FailedImage, { code, host, text }: DeadLetterFilter): boolean {
  if (code !== undefined && error.code !== code) return false;
  if (host !== undefined && shownHost(url) !== host) return false;
  return contains([id, url, error.message], text);
}

function contains(texts: readonly string[], wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  const lower = wanted.toLowerCase();
  // What is not shown is not found either: a signature could be guessed letter by letter.
  return texts.some((text) => shownText(text).toLowerCase().includes(lower));
}

/** By what a letter may be found. */
export function facetsOf({ job, images, unreadableBody }: ReadLetter): Record<'job' | 'code' | 'host', Set<string>> {
  return {
    job: new Set(job === undefined ? [] : [job]),
    code: new Set(unreadableBody === undefined ? images.map(({ error }) => shownText(error.code)) : [UNREADABLE]),
    host: new Set(images.map(({ url }) => shownHost(url))),
  };
}

/** The letter with no more of it than a row shows: many are kept, and each may be a megabyte. */
export function cutToRow(letter: ReadLetter): ReadLetter & { moreImages: number } {
  const { images } = letter;
  return { ...letter, images: images.slice(0, MAX_IMAGES), moreImages: Math.max(0, images.length - MAX_IMAGES) };
}

/** A part of a text would keep the whole of it in memory. */
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
    letterId: shownText(letterId),
    sentAt,
    reason: reason === undefined ? null : shownText(reason),
    job: job ?? null,
    run: run ?? null,
    images: images.map(({ id, url, error, attempts }) => ({
      id: shownText(id),
      url: shownText(url),
      host: shownHost(url),
      code: shownText(error.code),
      message: shownText(error.message, MAX_MESSAGE_CHARS),
      attempts,
      thumbnail: thumbnailOf(job ?? '-', url),
    })),
    moreImages,
    unreadableBody: unreadableBody ?? null,
  };
}
