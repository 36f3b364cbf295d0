import { type ErrorCode, ImageFailure } from '../../contract/error-codes.ts';
import { AddressNotAllowedError } from './address-rules.ts';
import { NameNotResolvedError } from './host-lookup.ts';
import { UndiciError } from './http-client.ts';

/** Converts a response status without an image into the image's failure. */
export function statusFailure(status: number, retryAfter: string | undefined, now: Date): ImageFailure {
  return new ImageFailure(
    codeOfStatus(status),
    `expected status 200, got ${status}`,
    retryAfterSeconds(retryAfter, now),
  );
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 404) return 'not_found';
  if (status === 410) return 'gone';
  if (status === 401 || status === 403 || status === 407 || status === 451) return 'forbidden';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status === 425 || status >= 500) return 'server_error';
  return 'http_error';
}

/** RFC 9110, 10.2.3: either seconds or an HTTP date. Anything else is ignored. */
function retryAfterSeconds(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  // Every HTTP date starts with its weekday; without this check, `Date.parse` reads "1.5" as a date.
  const date = /^\s*[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now.getTime()) / 1000));
}

/**
 * Converts an error of undici, the network stack or zlib during a fetch. Only this file knows their codes.
 *
 * @throws any other error: that is a bug, not the image's failure
 */
export function fetchFailure(error: unknown): ImageFailure {
  const cause = rootCause(error);
  if (cause instanceof AddressNotAllowedError) {
    return new ImageFailure('address_not_allowed', `expected a public host: ${cause.message}`);
  }
  if (cause instanceof NameNotResolvedError) return new ImageFailure('name_not_resolved', cause.message);
  const code = errnoOf(cause);
  if (code === undefined) throw error;
  return new ImageFailure(codeOfCause(cause, code), describe(cause, code));
}

/** Node reports several addresses tried concurrently as an AggregateError. */
function rootCause(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return rootCause(error.errors[0]);
  if (error instanceof UndiciError.SocketError && Error.isError(error.cause)) return rootCause(error.cause);
  return error;
}

function errnoOf(cause: unknown): string | undefined {
  // undici 8 intends a code HPE_… for these, and leaves it undefined.
  if (cause instanceof UndiciError.HTTPParserError) return cause.name;
  return Error.isError(cause) && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** The server closed the connection before the last chunk: undici reports that as a malformed response. */
export function isCut(cause: unknown): boolean {
  return cause instanceof UndiciError.HTTPParserError && cause.message.includes('Invalid EOF state');
}

function codeOfCause(cause: unknown, code: string): ErrorCode {
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'name_not_resolved';
  if (TIMEOUT_CODES.has(code)) return 'timeout';
  if (TLS_CODES.test(code)) return 'tls_invalid';
  if (isCut(cause)) return 'connection_failed';
  if (INVALID_RESPONSE_CODES.test(code)) return 'invalid_response';
  if (code === 'ERR_INVALID_URL' || cause instanceof UndiciError.InvalidArgumentError) return 'invalid_url';
  return 'connection_failed';
}

const TIMEOUT_CODES = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** OpenSSL's verification codes as Node names them (tls documentation, "X509 certificate error codes"). */
const TLS_CODES =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|PATH_LENGTH_|INVALID_PURPOSE|HOSTNAME_MISMATCH|ERR_TLS_|ERR_SSL_|EPROTO)/;

/** undici's parser and Node's, undici's header limit, and a Content-Encoding that zlib, brotli or zstd cannot read. */
const INVALID_RESPONSE_CODES =
  /^(HTTPParserError$|HPE_|UND_ERR_HEADERS_OVERFLOW$|Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ZSTD_error_)/;

function describe(cause: unknown, code: string): string {
  const syscall = Error.isError(cause) && 'syscall' in cause ? ` in ${String(cause.syscall)}` : '';
  return `the fetch failed with ${code}${syscall}`;
}
