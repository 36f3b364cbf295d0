import { redactUrls } from './redact.ts';

/** Where in an image's life an error arose. */
export type Stage = 'fetch' | 'decode' | 'infer' | 'worker';

type ErrorCodeRow = { stage: Stage; retryable: boolean; meaning: string };

/**
 * The closed list of what can go wrong with an image. Failure lines, dead-letter messages,
 * metrics and `docs/acknowledgement.md` use these codes and no others.
 */
export const ERROR_CODES = {
  invalid_url: { stage: 'fetch', retryable: false, meaning: 'not a URL that a fetch can use' },
  scheme_not_allowed: { stage: 'fetch', retryable: false, meaning: 'the scheme is not http, https or s3' },
  credentials_in_url: { stage: 'fetch', retryable: false, meaning: 'the URL carries a user name or password' },
  address_not_allowed: { stage: 'fetch', retryable: false, meaning: 'the host is not a public unicast address' },
  bucket_not_allowed: { stage: 'fetch', retryable: false, meaning: 'the bucket is not among the source buckets' },
  too_many_redirects: { stage: 'fetch', retryable: false, meaning: 'more redirects than are followed' },
  not_found: { stage: 'fetch', retryable: false, meaning: 'the server has no such image (404)' },
  gone: { stage: 'fetch', retryable: false, meaning: 'the image was removed permanently (410)' },
  forbidden: { stage: 'fetch', retryable: false, meaning: 'the server refuses access (401, 403, 407, 451)' },
  http_error: { stage: 'fetch', retryable: false, meaning: 'any other status that is not a success' },
  tls_invalid: { stage: 'fetch', retryable: false, meaning: "the server's certificate is not valid" },
  invalid_response: {
    stage: 'fetch',
    retryable: false,
    meaning: 'the answer breaks the HTTP protocol or its encoding',
  },
  too_large: { stage: 'fetch', retryable: false, meaning: 'the body has more bytes than the limit' },
  name_not_resolved: { stage: 'fetch', retryable: true, meaning: 'DNS has no address for the host' },
  timeout: { stage: 'fetch', retryable: true, meaning: 'the fetch took longer than the limit' },
  connection_failed: { stage: 'fetch', retryable: true, meaning: 'no connection, or it broke half-way' },
  rate_limited: { stage: 'fetch', retryable: true, meaning: 'the server asks to slow down (429)' },
  server_error: { stage: 'fetch', retryable: true, meaning: 'the server failed (5xx, 408)' },
  empty: { stage: 'decode', retryable: false, meaning: 'the body has no bytes' },
  not_an_image: { stage: 'decode', retryable: false, meaning: 'the bytes are no image' },
  unsupported_format: {
    stage: 'decode',
    retryable: false,
    meaning: 'an image, but not JPEG, PNG, WebP, GIF, AVIF or TIFF',
  },
  corrupt: { stage: 'decode', retryable: false, meaning: 'an image of a supported format that cannot be decoded' },
  too_many_pixels: { stage: 'decode', retryable: false, meaning: 'more pixels than the limit' },
  decode_timeout: { stage: 'decode', retryable: false, meaning: 'decoding took longer than the limit' },
  inference_failed: { stage: 'infer', retryable: true, meaning: 'TensorFlow refused the batch' },
  internal_error: { stage: 'worker', retryable: true, meaning: 'an error in labelqueue itself: please report it' },
  worker_crashed: {
    stage: 'worker',
    retryable: false,
    meaning: 'each worker that took the image died, or SQS moved its message to the DLQ',
  },
} as const satisfies Record<string, ErrorCodeRow>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What a failure line says of its error; also carried by dead-letter messages. */
export type ErrorReport = { code: ErrorCode; stage: Stage; message: string; retryable: boolean };

/**
 * An expected failure of one image. It is returned, never thrown: what is thrown is a
 * surprise, and becomes `internal_error`.
 */
export class ImageFailure {
  readonly code: ErrorCode;
  /** For people: what was expected and what came. Never holds a URL's query or user info. */
  readonly message: string;
  /** What the server asked for in `Retry-After`, in seconds from when it answered. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfterSeconds?: number) {
    this.code = code;
    // Some messages are foreign: whoever threw them may have put the whole URL in.
    this.message = redactUrls(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get stage(): Stage {
    return ERROR_CODES[this.code].stage;
  }

  report(): ErrorReport {
    return { code: this.code, stage: this.stage, message: this.message, retryable: this.retryable };
  }
}
