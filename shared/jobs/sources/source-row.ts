import { z } from 'zod';
import { MAX_ID_CHARS } from '../../contract/limits.ts';
import { type ImageRef, imageRefSchema } from '../../contract/message.ts';

/** What a line, a row or a key of a source says: an image, or why it names none. */
export type SourceRow = { line: number; image: ImageRef } | InvalidRow;

/** A line that names no image; `text` is the line as it stands in the source, as far as that can be told. */
export type InvalidRow = { line: number; text: string; problem: string; source?: string };

/** In whatever case; without a flag, since JSON Schema knows none. */
export const ABSOLUTE_URL = /^([Hh][Tt][Tt][Pp][Ss]?|[Ss]3):\/\/[^\s/]/;
const rowSchema = imageRefSchema.partial({ id: true });

/**
 * Checks what a source says of an image. The id is by default the URL.
 *
 * @param base what relative URLs are resolved against; without it they are wrong
 */
export function toSourceRow(line: number, text: string, given: unknown, base: URL | undefined): SourceRow {
  const parsed = rowSchema.safeParse(given);
  if (!parsed.success) return { line, text, problem: z.prettifyError(parsed.error).replaceAll('\n', ' ') };
  const url = resolve(parsed.data.url, base);
  const { id = url, meta } = parsed.data;
  if (!ABSOLUTE_URL.test(url)) {
    return { line, text, problem: `expected a http, https or s3 URL, got ${JSON.stringify(url.slice(0, 80))}` };
  }
  if (id.length > MAX_ID_CHARS) {
    return { line, text, problem: `expected an id beside a URL of more than ${MAX_ID_CHARS} characters` };
  }
  return { line, image: meta === undefined ? { id, url } : { id, url, meta } };
}

/** An absolute URL stays as it was written: the key in an s3:// one is not encoded. */
function resolve(url: string, base: URL | undefined): string {
  if (base === undefined || ABSOLUTE_URL.test(url)) return url;
  return URL.parse(url, base.href)?.href ?? url;
}
