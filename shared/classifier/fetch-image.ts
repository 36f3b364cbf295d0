import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ImageError } from '../contract/error-codes.ts';
import { MAX_IMAGE_BYTES, MAX_REDIRECTS } from '../contract/limits.ts';
import { fetchFailure, statusFailure } from './fetch-failure.ts';
import type { HttpClient } from './http-client.ts';
import type { ObjectReader } from './read-s3-object.ts';

export type ImageSources = { http: HttpClient; s3: ObjectReader };

/**
 * The bytes of the image at `url`, or why they cannot be had. Follows up to 5 redirects, reads at
 * most 20 MB.
 *
 * @param url http, https or s3, as a stranger wrote it
 * @param cancelled aborts the fetch; the promise then rejects with the signal's reason
 * @param timeoutMs for all of it
 */
export async function fetchImage(
  url: string,
  sources: ImageSources,
  cancelled: AbortSignal,
  timeoutMs: number,
): Promise<Buffer | ImageError> {
  cancelled.throwIfAborted();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new FetchTimeout()), timeoutMs);
  const cancel = () => controller.abort(cancelled.reason);
  cancelled.addEventListener('abort', cancel, { once: true });
  try {
    return /^s3:/i.test(url)
      ? await sources.s3.read(url, controller.signal)
      : await fetchHttp(url, sources.http, controller.signal);
  } catch (error) {
    cancelled.throwIfAborted();
    if (controller.signal.aborted) {
      return new ImageError('timeout', `expected the whole image within ${timeoutMs / 1000} s`);
    }
    return fetchFailure(error);
  } finally {
    clearTimeout(timer);
    cancelled.removeEventListener('abort', cancel);
  }
}

class FetchTimeout extends Error {}

async function fetchHttp(text: string, http: HttpClient, signal: AbortSignal): Promise<Buffer | ImageError> {
  let url = checkedUrl(text);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    if (url instanceof ImageError) return url;
    const { statusCode, headers, body } = await http.get(url, signal);
    const location = headerText(headers['location']);
    if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
      discard(body);
      url = checkedUrl(location, url);
    } else if (statusCode === 200) {
      return readBody(body, headerText(headers['content-length']), headerText(headers['content-encoding']));
    } else {
      discard(body);
      return statusFailure(statusCode, headerText(headers['retry-after']), new Date());
    }
  }
  return new ImageError('too_many_redirects', `expected at most ${MAX_REDIRECTS} redirects, got more`);
}

function checkedUrl(text: string, base?: URL): URL | ImageError {
  const url = URL.parse(text, base?.href);
  if (url === null) return new ImageError('invalid_url', 'expected an absolute http, https or s3 URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return new ImageError('scheme_not_allowed', `expected http, https or s3, got ${url.protocol}//`);
  }
  if (url.username !== '' || url.password !== '') {
    return new ImageError('credentials_in_url', 'expected a URL without user name and password');
  }
  return url;
}

async function readBody(
  body: Readable,
  contentLength: string | undefined,
  contentEncoding: string | undefined,
): Promise<Buffer | ImageError> {
  if (contentLength !== undefined && Number(contentLength) > MAX_IMAGE_BYTES) {
    discard(body);
    return tooLarge(`Content-Length: ${contentLength}`);
  }
  const decoded = decode(body, contentEncoding);
  if (decoded instanceof ImageError) return decoded;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of decoded as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (bytes > MAX_IMAGE_BYTES) return tooLarge('more');
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
}

function tooLarge(got: string): ImageError {
  return new ImageError('too_large', `expected at most ${MAX_IMAGE_BYTES} bytes, got ${got}`);
}

/** Identity was asked for; some servers compress all the same. */
function decode(body: Readable, encoding = 'identity'): Readable | ImageError {
  const decoder = DECODERS[encoding.trim().toLowerCase()];
  if (decoder === undefined) {
    discard(body);
    return new ImageError(
      'invalid_response',
      `expected Content-Encoding identity, gzip, deflate or br, got ${encoding}`,
    );
  }
  return decoder(body);
}

const DECODERS: Record<string, (body: Readable) => Readable> = {
  '': (body) => body,
  identity: (body) => body,
  gzip: (body) => through(body, createGunzip()),
  'x-gzip': (body) => through(body, createGunzip()),
  deflate: (body) => through(body, createInflate()),
  br: (body) => through(body, createBrotliDecompress()),
};

/** Like `pipeline`, but hands the errors of both streams to whoever reads the decoder. */
function through(
  body: Readable,
  decoder: ReturnType<typeof createGunzip> | ReturnType<typeof createBrotliDecompress>,
): Readable {
  body.once('error', (error) => decoder.destroy(error));
  decoder.once('close', () => discard(body));
  return body.pipe(decoder);
}

/** Closes the connection rather than read a body of unknown length to its end. */
function discard(body: Readable): void {
  body.on('error', () => {});
  body.destroy();
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
