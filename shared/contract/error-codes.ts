import { redactUrls } from './redact.ts';

/** The stage at which an image failed. */
export type Stage = 'fetch' | 'decode' | 'infer' | 'worker';

type ErrorCodeRow = { stage: Stage; retryable: boolean; meaning: string };

/**
 * The closed list of reasons why an image fails. Failure lines, dead-letter messages, metrics and `docs/acknowledgement.md`
 * use these codes only.
 */
export const ERROR_CODES = {
  invalid_url: { stage: 'fetch', retryable: false, meaning: 'malformed URL' },
  scheme_not_allowed: { stage: 'fetch', retryable: false, meaning: 'the scheme is not http, https or s3' },
  credentials_in_url: { stage: 'fetch', retryable: false, meaning: 'the URL contains a user name or password' },
  address_not_allowed: {
    stage: 'fetch',
    retryable: false,
    meaning: "the host's address is not a public unicast address",
  },
  bucket_not_allowed: { stage: 'fetch', retryable: false, meaning: 'the bucket is not one of the source buckets' },
  too_many_redirects: { stage: 'fetch', retryable: false, meaning: 'too many redirects' },
  not_found: { stage: 'fetch', retryable: false, meaning: 'not found (404)' },
  gone: { stage: 'fetch', retryable: false, meaning: 'the image was removed permanently (410)' },
  forbidden: { stage: 'fetch', retryable: false, meaning: 'the server refuses access (401, 403, 407, 451)' },
  http_error: { stage: 'fetch', retryable: false, meaning: 'any other status outside 2xx' },
  tls_invalid: { stage: 'fetch', retryable: false, meaning: "the server's certificate is invalid" },
  invalid_response: {
    stage: 'fetch',
    retryable: false,
    meaning: 'the response violates HTTP, or its content encoding is invalid',
  },
  too_large: { stage: 'fetch', retryable: false, meaning: 'the body is larger than the limit' },
  name_not_resolved: { stage: 'fetch', retryable: true, meaning: 'DNS has no address for the host' },
  timeout: { stage: 'fetch', retryable: true, meaning: 'the fetch took longer than the limit' },
  connection_failed: { stage: 'fetch', retryable: true, meaning: 'the connection failed or was interrupted' },
  rate_limited: { stage: 'fetch', retryable: true, meaning: 'rate limited by the server (429)' },
  server_error: { stage: 'fetch', retryable: true, meaning: 'the server failed (5xx, 408)' },
  empty: { stage: 'decode', retryable: false, meaning: 'the body is empty' },
  not_an_image: { stage: 'decode', retryable: false, meaning: 'not an image' },
  unsupported_format: {
    stage: 'decode',
    retryable: false,
    meaning: 'an image, but not JPEG, PNG, WebP, GIF, AVIF or TIFF',
  },
  corrupt: { stage: 'decode', retryable: false, meaning: 'a supported format, but the image cannot be decoded' },
  too_many_pixels: { stage: 'decode', retryable: false, meaning: 'more pixels than the limit' },
  decode_timeout: { stage: 'decode', retryable: false, meaning: 'decoding took longer than the limit' },
  inference_failed: { stage: 'infer', retryable: true, meaning: 'TensorFlow rejected the batch' },
  internal_error: { stage: 'worker', retryable: true, meaning: 'a bug in labelqueue: please report it' },
  worker_crashed: {
    stage: 'worker',
    retryable: false,
    meaning: 'every worker that processed the image crashed, or SQS moved its message to the DLQ',
  },
} as const satisfies Record<string, ErrorCodeRow>;

/** A code of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** The error of a failure line; dead-letter messages carry it too. */
export type ErrorReport = { code: ErrorCode; stage: Stage; message: string; retryable: boolean };

/**
 * An expected failure of one image. It is returned, never thrown: anything thrown is a bug, and becomes `internal_error`.
 */
export class ImageFailure {
  readonly code: ErrorCode;
  /** For people: what was expected and what came instead. Never contains a URL's query or user info. */
  readonly message: string;
  /** The server's `Retry-After`, in seconds from its response. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfterSeconds?: number) {
    this.code = code;
    // Some messages come from libraries, which may put the whole URL in.
    this.message = redactUrls(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get stage(): Stage {
    return ERROR_CODES[this.code].stage;
  }

  /** For a failure line. */
  report(): ErrorReport {
    return { code: this.code, stage: this.stage, message: this.message, retryable: this.retryable };
  }
}
