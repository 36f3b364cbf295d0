/** API Gateway's payload format 2.0, in and out. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** Methods that a `Request` cannot have; no operation has one of them, nor OPTIONS, which stands in for them. */
const NOT_FOR_FETCH = new Set(['TRACE', 'TRACK', 'CONNECT']);

/** What the router looks at: method, path and query. The body stays in the event. */
export function routedRequest({ rawPath, rawQueryString, requestContext }: APIGatewayProxyEventV2): Request {
  const { method } = requestContext.http;
  const url = new URL('https://api.invalid');
  url.pathname = rawPath;
  url.search = rawQueryString;
  return new Request(url, { method: NOT_FOR_FETCH.has(method) ? 'OPTIONS' : method });
}

/**
 * The bytes of the body. What is text by its type comes as a string, in which bytes that were no UTF-8 have become U+FFFD;
 * the length gives that away, and a byte that is no UTF-8 then stands in each place.
 */
export function bodyOf({ body = '', isBase64Encoded, headers }: APIGatewayProxyEventV2): Buffer {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  const sent = Number(headers['content-length'] ?? bytes.length);
  if (isBase64Encoded || sent === bytes.length || !body.includes('\uFFFD')) return bytes;
  const parts = body.split('\uFFFD').flatMap((text, index) => (index === 0 ? [text] : [NO_UTF8, text]));
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

const NO_UTF8 = Buffer.from([0xff]);

/** In lower case and without parameters; empty when there is none. */
export function mediaTypeOf({ headers }: APIGatewayProxyEventV2): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** A response in API Gateway's payload format 2.0. */
export async function toResult(response: Response): Promise<APIGatewayProxyStructuredResultV2> {
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    isBase64Encoded: false,
  };
}
