import type { IncomingMessage, ServerResponse } from 'node:http';
import { isFromAnotherOrigin, isLoopbackName, isSameSecret, parseHost } from '../shared/contract/web-origin.ts';

/** Why a request is refused: the name of an AWS error, and what to do about it. */
export type Refusal = { status: number; code: string; message: string };

const WRONG_HOST: Refusal = {
  status: 421,
  code: 'AccessDenied',
  message: 'expected the Host 127.0.0.1, localhost or a name that ends with .localhost',
};
const WRONG_ORIGIN: Refusal = {
  status: 403,
  code: 'AccessDenied',
  message: 'requests from pages in a browser are refused; only programs on this machine may send requests',
};
const NO_CREDENTIALS: Refusal = {
  status: 403,
  code: 'AccessDenied',
  message: 'expected a signed request; the variables that `labelqueue local` prints contain the access key',
};
const WRONG_CREDENTIALS: Refusal = {
  status: 403,
  code: 'InvalidAccessKeyId',
  message: 'this is not the access key of this service: paste the variables that `labelqueue local` printed',
};

/**
 * Access check of the embedded SQS, SNS and S3, which do not authenticate. A request must have a Host of this machine
 * (against DNS rebinding), must not come from a page in a browser, and must contain the access key ID, which is random
 * and secret: no page can set `Authorization` without a CORS preflight, and preflights are refused.
 *
 * The signature itself is not checked. It would prove that the request was not changed in transit, which loopback does
 * not need; and the access key ID is only stored beside the secret key.
 *
 * @returns undefined for an accepted request
 */
export function refusalOf(request: IncomingMessage, accessKeyId: string): Refusal | undefined {
  const { name } = parseHost(request.headers.host) ?? {};
  if (name === undefined || !isOwnName(name)) return WRONG_HOST;
  if (isFromAnotherOrigin(request.headers)) return WRONG_ORIGIN;
  const given = accessKeyIdOf(request);
  if (given === undefined) return NO_CREDENTIALS;
  return isSameSecret(given, accessKeyId) ? undefined : WRONG_CREDENTIALS;
}

/**
 * `<bucket>.localhost` and `sqs.<region>.localhost` are S3's and SQS's own forms; browsers never resolve such names.
 */
function isOwnName(name: string): boolean {
  return isLoopbackName(name) || name.endsWith('.localhost');
}

/** `AWS4-HMAC-SHA256 Credential=<access key ID>/<date>/<region>/<service>/aws4_request, …`. */
const AUTHORIZATION = /^AWS4-\S+ (?:.*[ ,])?Credential=([^/,\s]+)\//;
/** `AWS <access key ID>:<signature>`, version 2: older S3 clients still use it. */
const AUTHORIZATION_2 = /^AWS ([^:\s]+):/;

/** From the header, or from the query of a presigned URL; boto3 still presigns for S3 with signature version 2. */
function accessKeyIdOf({ headers: { authorization }, url = '' }: IncomingMessage): string | undefined {
  if (authorization !== undefined)
    return (AUTHORIZATION.exec(authorization) ?? AUTHORIZATION_2.exec(authorization))?.[1];
  const query = url.indexOf('?');
  if (query === -1) return undefined;
  const parameters = new URLSearchParams(url.slice(query));
  return parameters.get('X-Amz-Credential')?.split('/')[0] ?? parameters.get('AWSAccessKeyId') ?? undefined;
}

/** The rest of a body up to this size is read, so that the client reads the response. */
const MAX_DRAINED_BYTES = 1024 * 1024;

/** Responds in the format of the service's SDKs: JSON for SQS, XML for the others. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const isSqs = request.headers['x-amz-target']?.toString().startsWith('AmazonSQS.') ?? false;
  const body = isSqs ? sqsError(refusal) : s3Error(refusal);
  response.writeHead(refusal.status, {
    'content-type': isSqs ? 'application/x-amz-json-1.0' : 'application/xml',
    'content-length': Buffer.byteLength(body),
    ...(!isSmall(request) && { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? '' : body);
}

function isSmall({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= MAX_DRAINED_BYTES;
}

function sqsError({ code, message }: Refusal): string {
  return JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message });
}

/** Codes and messages are constants of this file and need no escaping. */
function s3Error({ code, message }: Refusal): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}
