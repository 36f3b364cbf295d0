import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { MAX_ID_CHARS } from '../contract/limits.ts';
import { type ImageRef, imageRefSchema } from '../contract/message.ts';
import { linesOf } from './lines.ts';

/** A line that names no image. The message says which line, what was expected and what came. */
export class SourceLineError extends Error {
  override readonly name = 'SourceLineError';
}

/**
 * The images of a text file: a URL a line, or a JSON object a line with `url` and, if wanted, `id`
 * and `meta`. Empty lines are skipped. Streams: a million lines need no more memory than ten.
 *
 * @param base what relative URLs are resolved against; without it they are wrong
 * @throws {SourceLineError} at the first line that names no image
 */
export async function* readSource(path: string, base?: URL): AsyncGenerator<ImageRef> {
  let number = 0;
  for await (const line of linesOf(createReadStream(path))) {
    number++;
    const text = line.trim();
    if (text !== '') yield readLine(text, number, base);
  }
}

const lineSchema = imageRefSchema.partial({ id: true });
const ABSOLUTE_URL = /^(https?|s3):\/\/[^\s/]/i;

function readLine(text: string, number: number, base: URL | undefined): ImageRef {
  const parsed = lineSchema.safeParse(text.startsWith('{') ? parseJson(text, number) : { url: text });
  if (!parsed.success) throw new SourceLineError(`line ${number}: ${z.prettifyError(parsed.error)}`);
  const url = resolve(parsed.data.url, base);
  const { id = url, meta } = parsed.data;
  if (!ABSOLUTE_URL.test(url)) {
    throw new SourceLineError(
      `line ${number}: expected a http, https or s3 URL, got ${JSON.stringify(url.slice(0, 80))}`,
    );
  }
  if (id.length > MAX_ID_CHARS) {
    throw new SourceLineError(`line ${number}: expected an id beside a URL of more than ${MAX_ID_CHARS} characters`);
  }
  return meta === undefined ? { id, url } : { id, url, meta };
}

/** An absolute URL stays as it was written: the key in an s3:// one is not encoded. */
function resolve(url: string, base: URL | undefined): string {
  if (base === undefined || ABSOLUTE_URL.test(url)) return url;
  return URL.parse(url, base.href)?.href ?? url;
}

function parseJson(text: string, number: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SourceLineError(
      `line ${number}: expected a URL or a JSON object, got ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
}
