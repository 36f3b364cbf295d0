import { type ImageRef, imageRefSchema, toImageRef } from '../contract/image-ref.ts';
import { MAX_ID_CHARS, MAX_MESSAGE_BYTES } from '../contract/limits.ts';
import { issuesText } from '../contract/schema-issues.ts';
import { bytesInMessage } from '../contract/sqs-json.ts';
import { wellFormedImage } from '../contract/well-formed.ts';

/** A line, a row or a key of a source: an image, or an invalid row with the reason. */
export type SourceRow = { line: number; image: ImageRef } | InvalidRow;

/** A row that does not name a valid image; `text` is the original line, if it is known. */
export type InvalidRow = { line: number; text: string; problem: string; source?: string };

/** In any case; without a flag, since JSON Schema does not support flags. */
export const ABSOLUTE_URL = /^([Hh][Tt][Tt][Pp][Ss]?|[Ss]3):\/\/[^\s/]/;
/** Maximum length of a column name in a message. */
const MAX_COLUMN_CHARS = 80;
const NO_URL = 'no URL';
const rowSchema = imageRefSchema.partial({ id: true });

/**
 * Validates a row of a source. By default, the id is the URL.
 *
 * @param base for relative URLs; without it they are invalid
 */
export function toSourceRow(line: number, text: string, given: unknown, base: URL | undefined): SourceRow {
  const parsed = rowSchema.safeParse(given);
  if (!parsed.success) return { line, text, problem: hasNoUrl(given) ? NO_URL : issuesText(parsed.error, given) };
  const url = resolve(parsed.data.url, base);
  const { id = url, meta } = parsed.data;
  const image = wellFormed(toImageRef({ id, url, meta }), text);
  if (!ABSOLUTE_URL.test(url)) {
    return { line, text, problem: `expected a http, https or s3 URL, got ${JSON.stringify(url.slice(0, 80))}` };
  }
  if (id.length > MAX_ID_CHARS) {
    return { line, text, problem: `expected an id beside a URL of more than ${MAX_ID_CHARS} characters` };
  }
  const tooLarge = largerThanAMessage(image, text);
  if (tooLarge !== undefined) return { line, text, problem: tooLarge };
  return { line, image };
}

function hasNoUrl(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'url' in given && (given.url === '' || given.url === null);
}

/** As `toSourceRow`, for the row of a table: a missing URL is reported with the name of its column. */
export function namingColumn(row: SourceRow, urlColumn: string): SourceRow {
  if (!('problem' in row) || row.problem !== NO_URL) return row;
  return { ...row, problem: `${NO_URL} in the column ${urlColumn.slice(0, MAX_COLUMN_CHARS)}` };
}

/** As `toSourceRow`, for a bare URL; most lists consist of these, and a schema would double the time. */
export function urlRow(line: number, url: string, base: URL | undefined): SourceRow {
  const isPlain = base === undefined && url.length <= MAX_ID_CHARS && ABSOLUTE_URL.test(url);
  return isPlain ? { line, image: { id: url, url } } : toSourceRow(line, url, { url }, base);
}

/** Decoded text has no lone surrogates; escapes in JSON may produce them. */
function wellFormed(image: ImageRef, text: string): ImageRef {
  return text === '' || text.includes('\\u') ? wellFormedImage(image) : image;
}

/** The bytes of a message besides its images. */
const ENVELOPE_BYTES = 512;
/** The maximum number of bytes per character of a source, e.g. of an escaped surrogate. */
const MAX_BYTES_PER_CHARACTER = 6;

/** Why the queue would reject the image; undefined if it would not. */
function largerThanAMessage(image: ImageRef, text: string): string | undefined {
  const room = MAX_MESSAGE_BYTES - ENVELOPE_BYTES;
  if (text.length <= room / MAX_BYTES_PER_CHARACTER) return undefined;
  const { shortest } = bytesInMessage(image);
  if (shortest <= room) return undefined;
  return `expected at most ${room} bytes of JSON per image, got ${shortest} for the id ${image.id.slice(0, 80)}`;
}

/** An absolute URL stays unchanged: the key of an s3:// URL is not encoded. */
function resolve(url: string, base: URL | undefined): string {
  if (base === undefined || ABSOLUTE_URL.test(url)) return url;
  return URL.parse(url, base.href)?.href ?? url;
}
