import { ImageFailure } from '../../contract/error-codes.ts';
import { MAX_REDIRECTS } from '../../contract/limits.ts';
import { discardBody, readBody } from './body-bytes.ts';
import { decodeContent } from './content-coding.ts';
import { fetchFailure, isCut, statusFailure } from './fetch-failure.ts';
import { type HttpClient, type HttpResponse, isUnparsable } from './http-client.ts';
import type { ObjectReader } from './read-s3-object.ts';
import { RedirectCookies } from './redirect-cookies.ts';

/** The clients that images are fetched with. */
export type ImageSources = { http: HttpClient; s3: ObjectReader };

/** Limits of one fetch. */
export type FetchLimits = {
  /** For the whole fetch, redirects included. */
  timeoutMs: number;
  /** Awaited before more than some kilobytes are held: until then, a fetch costs a connection and no memory. */
  beforeContent?: (() => Promise<void>) | undefined;
};

const noWait = async () => {};

/**
 * The bytes of the image at `url`, or why they cannot be fetched. Follows at most `MAX_REDIRECTS` redirects and reads at most
 * `MAX_IMAGE_BYTES`.
 *
 * @param url http, https or s3; untrusted
 * @param cancelled aborts the fetch; the promise then rejects with the signal's reason
 */
export async function fetchImage(
  url: string,
  sources: ImageSources,
  cancelled: AbortSignal,
  { timeoutMs, beforeContent = noWait }: FetchLimits,
): Promise<Buffer | ImageFailure> {
  cancelled.throwIfAborted();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new FetchTimeout()), timeoutMs);
  const cancel = () => controller.abort(cancelled.reason);
  cancelled.addEventListener('abort', cancel, { once: true });
  try {
    if (!/^s3:/i.test(url)) return await fetchHttp(url, sources.http, controller.signal, beforeContent);
    await beforeContent();
    return await sources.s3.read(url, controller.signal);
  } catch (error) {
    cancelled.throwIfAborted();
    if (controller.signal.aborted) {
      return new ImageFailure('timeout', `expected the whole image within ${timeoutMs / 1000} s`);
    }
    return fetchFailure(error);
  } finally {
    clearTimeout(timer);
    cancelled.removeEventListener('abort', cancel);
  }
}

class FetchTimeout extends Error {}

async function fetchHttp(
  text: string,
  http: HttpClient,
  signal: AbortSignal,
  beforeContent: () => Promise<void>,
): Promise<Buffer | ImageFailure> {
  const cookies = new RedirectCookies();
  let url = checkedUrl(text);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    if (url instanceof ImageFailure) return url;
    const target = url;
    const cookie = cookies.headerFor(target);
    const response = await http.get(target, signal, cookie);
    const location = redirectOf(response);
    const readImage = (from: HttpResponse) => imageOf(from, beforeContent);
    if (location === undefined) {
      return await imageOrAgain(response, () => http.getLeniently(target, signal, cookie), readImage);
    }
    discardBody(response.body);
    cookies.keep(url, response.headers['set-cookie']);
    url = checkedUrl(location, url);
  }
  return new ImageFailure('too_many_redirects', `expected at most ${MAX_REDIRECTS} redirects, got more`);
}

/** A body that the strict parser rejects, e.g. for spaces after its chunk sizes, is requested once more leniently. */
async function imageOrAgain(
  response: HttpResponse,
  getLeniently: () => Promise<HttpResponse>,
  readImage: (from: HttpResponse) => Promise<Buffer | ImageFailure>,
): Promise<Buffer | ImageFailure> {
  try {
    return await readImage(response);
  } catch (error) {
    if (!isUnparsable(error) || isCut(error)) throw error;
    return readImage(await getLeniently());
  }
}

function checkedUrl(text: string, base?: URL): URL | ImageFailure {
  const url = URL.parse(text, base?.href);
  if (url === null) return new ImageFailure('invalid_url', 'expected an absolute http, https or s3 URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return new ImageFailure('scheme_not_allowed', `expected http, https or s3, got ${url.protocol}//`);
  }
  if (url.username !== '' || url.password !== '') {
    return new ImageFailure('credentials_in_url', 'expected a URL without user name and password');
  }
  return url;
}

/** Non-ASCII bytes of a `Location`, in whatever encoding the server uses, are percent-encoded unchanged. */
function redirectOf({ statusCode, headers }: HttpResponse): string | undefined {
  if (statusCode < 300 || statusCode >= 400) return undefined;
  return headerText(headers['location'])?.replaceAll(
    /[\u0080-\u00ff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function imageOf(
  { statusCode, headers, body }: HttpResponse,
  beforeContent: () => Promise<void>,
): Promise<Buffer | ImageFailure> {
  if (statusCode < 200 || statusCode >= 300 || isPart(statusCode, headerText(headers['content-range']))) {
    discardBody(body);
    return statusFailure(statusCode, headerText(headers['retry-after']), new Date());
  }
  const bytes = await readBody(body, Number(headerText(headers['content-length']) ?? 0), beforeContent);
  if (bytes instanceof ImageFailure) return bytes;
  // 200 may be an empty file; any other 2xx without a body means that the server has no image.
  if (bytes.length === 0) return statusCode === 200 ? bytes : statusFailure(statusCode, undefined, new Date());
  const coding = allOf(headers['content-encoding']);
  // A few bytes may decode to many.
  if (coding !== undefined) await beforeContent();
  return decodeContent(bytes, coding);
}

/** No range was requested; a server that responds with 206 anyway may have sent the whole image. */
function isPart(statusCode: number, contentRange: string | undefined): boolean {
  if (statusCode !== 206 || contentRange === undefined) return false;
  const [, last, size] = /^bytes 0-(\d+)\/(\d+)$/.exec(contentRange) ?? [];
  return size === undefined || Number(last) + 1 !== Number(size);
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** A list header may occur several times. */
function allOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
