/** HTTP requests and responses in API Gateway's payload format 2.0 (HTTP APIs). */
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** @param body the complete body */
export function gatewayEvent(request: IncomingMessage, body: Buffer): APIGatewayProxyEventV2 {
  const { method = 'GET', url = '/', httpVersion, socket } = request;
  const { cookie, ...headers } = request.headersDistinct;
  const [rawPath = '/', ...query] = originForm(url).split('?');
  const now = new Date();
  const domainName = headers['host']?.[0] ?? '';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: query.join('?'),
    ...(cookie !== undefined && { cookies: cookie.flatMap((line) => line.split('; ')) }),
    headers: Object.fromEntries(Object.entries(headers).map(([name, values = []]) => [name, values.join(',')])),
    ...queryParameters(query.join('?')),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName,
      domainPrefix: 'local',
      http: {
        method,
        path: rawPath,
        protocol: `HTTP/${httpVersion}`,
        sourceIp: socket.remoteAddress ?? '',
        userAgent: headers['user-agent']?.[0] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...bodyFields(body, headers['content-type']?.[0] ?? ''),
  };
}

/** A request to a proxy has an absolute URL in its first line. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url;
  const { pathname = '/', search = '' } = URL.parse(url) ?? {};
  return `${pathname}${search}`;
}

function queryParameters(query: string): Pick<APIGatewayProxyEventV2, 'queryStringParameters'> {
  if (query === '') return {};
  const values = Map.groupBy(new URLSearchParams(query), ([name]) => name);
  const joined = [...values].map(([name, pairs]) => [name, pairs.map(([, value]) => value).join(',')]);
  return { queryStringParameters: Object.fromEntries(joined) };
}

/** Text is passed as text; everything else, including invalid UTF-8 declared as text, as base64. */
const TEXT = /^\s*(text\/|application\/(json|xml|javascript)\s*(;|$))/i;

function bodyFields(body: Buffer, contentType: string): Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'> {
  if (body.length === 0) return { isBase64Encoded: false };
  const isBase64Encoded = !TEXT.test(contentType) || !isUtf8(body);
  return { body: body.toString(isBase64Encoded ? 'base64' : 'utf8'), isBase64Encoded };
}

export function sendResult(
  response: ServerResponse,
  { statusCode = 200, headers = {}, cookies, body = '', isBase64Encoded = false }: APIGatewayProxyStructuredResultV2,
): void {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  const all = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  response.writeHead(statusCode, {
    ...Object.fromEntries(all),
    ...(cookies !== undefined && { 'set-cookie': cookies }),
    'content-length': bytes.length,
  });
  response.end(bytes);
}
