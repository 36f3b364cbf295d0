import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { redactUrls } from './redact.ts';

/**
 * The HTTP status of each image error. What the caller named or sent is wrong: 4xx. The image's server
 * failed: 502, 504, or its own 429. A status of 500 is ours.
 */
const IMAGE_ERROR_STATUS = {
  invalid_url: 400,
  scheme_not_allowed: 400,
  credentials_in_url: 400,
  address_not_allowed: 400,
  bucket_not_allowed: 400,
  too_many_redirects: 502,
  not_found: 404,
  gone: 404,
  forbidden: 502,
  http_error: 502,
  tls_invalid: 502,
  invalid_response: 502,
  too_large: 413,
  name_not_resolved: 502,
  timeout: 504,
  connection_failed: 502,
  rate_limited: 429,
  server_error: 502,
  empty: 422,
  not_an_image: 415,
  unsupported_format: 415,
  corrupt: 422,
  too_many_pixels: 422,
  decode_timeout: 422,
  inference_failed: 500,
  internal_error: 500,
  worker_crashed: 500,
} as const satisfies Record<ErrorCode, number>;

type ProblemRow = { status: number; retryable: boolean; meaning: string };

/** What can be wrong with a request, beside the image that it names. */
const REQUEST_PROBLEMS = {
  invalid_request: { status: 400, retryable: false, meaning: 'a parameter or the body is not what the API takes' },
  origin_not_allowed: {
    status: 403,
    retryable: false,
    meaning: 'a page of another origin sent the request: only `labelqueue local` looks at it',
  },
  no_such_route: { status: 404, retryable: false, meaning: 'the API has nothing at this path' },
  no_such_job: { status: 404, retryable: false, meaning: 'no job of this name was enqueued' },
  method_not_allowed: { status: 405, retryable: false, meaning: 'the path does not take this method' },
  upload_timeout: {
    status: 408,
    retryable: true,
    meaning: 'the body did not arrive in time: only `labelqueue local` looks at it',
  },
  job_exists: { status: 409, retryable: false, meaning: 'a job of this name was enqueued before' },
  body_too_large: { status: 413, retryable: false, meaning: 'the body has more bytes than the limit' },
  unsupported_media_type: { status: 415, retryable: false, meaning: 'the Content-Type is not one that the path takes' },
  host_not_allowed: {
    status: 421,
    retryable: false,
    meaning: "the Host header is not this machine's: only `labelqueue local` looks at it",
  },
  header_too_large: {
    status: 431,
    retryable: false,
    meaning: 'address and headers together have more bytes than API Gateway takes',
  },
  too_many_uploads: {
    status: 503,
    retryable: true,
    meaning: 'too many bodies are being sent at once: only `labelqueue local` looks at it',
  },
  service_unavailable: { status: 503, retryable: true, meaning: 'SQS or S3 did not take or give what was needed' },
  deadline_exceeded: { status: 504, retryable: true, meaning: 'the request took longer than the API may' },
} as const satisfies Record<string, ProblemRow>;

export type RequestProblemCode = keyof typeof REQUEST_PROBLEMS;
export type ProblemCode = ErrorCode | RequestProblemCode;

/** Each code that an answer of the API may have. A retryable one may be gone when the request is sent again. */
export const PROBLEMS: Readonly<Record<ProblemCode, ProblemRow>> = {
  ...REQUEST_PROBLEMS,
  ...(Object.fromEntries(
    Object.entries(ERROR_CODES).map(([code, { retryable, meaning }]) => [
      code,
      { status: IMAGE_ERROR_STATUS[code as ErrorCode], retryable, meaning },
    ]),
  ) as Record<ErrorCode, ProblemRow>),
};

/** The media type of a `ProblemDocument`. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** What the body of an error says (RFC 9457). */
export type ProblemDocument = {
  /** `urn:labelqueue:problem:<code>`: one for ever, leads nowhere. */
  type: string;
  /** What the code means; the same for each problem of the code. */
  title: string;
  status: number;
  /** What was expected and what came, this time. */
  detail: string;
  code: ProblemCode;
  retryable: boolean;
};

/** @param detail may be foreign: what is secret about the URLs in it is left out */
export function problemDocument(code: ProblemCode, detail: string): ProblemDocument {
  const { status, retryable, meaning } = PROBLEMS[code];
  const type = `urn:labelqueue:problem:${code}`;
  return { type, title: meaning, status, detail: redactUrls(detail), code, retryable };
}
