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

export function bodyOf({ body = '', isBase64Encoded }: APIGatewayProxyEventV2): Buffer {
  return Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
}

/** In lower case and without parameters; empty when there is none. */
export function mediaTypeOf({ headers }: APIGatewayProxyEventV2): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export async function toResult(response: Response): Promise<APIGatewayProxyStructuredResultV2> {
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    isBase64Encoded: false,
  };
}
