/** API Gateway's payload format 2.0, in and out. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** Methods that a `Request` cannot have. No operation uses them, or OPTIONS, which replaces them. */
const NOT_FOR_FETCH = new Set(['TRACE', 'TRACK', 'CONNECT']);

/** The request as the router needs it: method, path and query. The body stays in the event. */
export function routedRequest({ rawPath, rawQueryString, requestContext }: APIGatewayProxyEventV2): Request {
  const { method } = requestContext.http;
  const url = new URL('https://api.invalid');
  url.pathname = rawPath;
  url.search = rawQueryString;
  return new Request(url, { method: NOT_FOR_FETCH.has(method) ? 'OPTIONS' : method });
}

/**
 * The bytes of the body. API Gateway passes text types on as a string, in which invalid UTF-8 has become U+FFFD. The length
 * reveals that; each U+FFFD is then replaced by an invalid byte, so that the body is not taken for valid UTF-8.
 */
export function bodyOf({ body = '', isBase64Encoded, headers }: APIGatewayProxyEventV2): Buffer {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  const sent = Number(headers['content-length'] ?? bytes.length);
  if (isBase64Encoded || sent === bytes.length || !body.includes('\uFFFD')) return bytes;
  const parts = body.split('\uFFFD').flatMap((text, index) => (index === 0 ? [text] : [INVALID_UTF8, text]));
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

const INVALID_UTF8 = Buffer.from([0xff]);

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
