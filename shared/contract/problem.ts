import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { redactUrls } from './redact.ts';

/**
 * The HTTP status of each image failure: 4xx where the caller's URL or body is wrong; 502, 504 or its own 429 where the
 * image's server failed; 500 where labelqueue failed.
 */
const IMAGE_FAILURE_STATUS = {
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

/** Problems of a request other than its image. */
const REQUEST_PROBLEMS = {
  invalid_request: { status: 400, retryable: false, meaning: 'a parameter or the body is invalid' },
  origin_not_allowed: {
    status: 403,
    retryable: false,
    meaning: 'the request comes from a page of another origin (checked only by `labelqueue local`)',
  },
  no_such_route: { status: 404, retryable: false, meaning: 'no such route' },
  no_such_job: { status: 404, retryable: false, meaning: 'no such job' },
  method_not_allowed: { status: 405, retryable: false, meaning: 'method not allowed on this path' },
  upload_timeout: {
    status: 408,
    retryable: true,
    meaning: 'the body did not arrive in time (checked only by `labelqueue local`)',
  },
  job_exists: { status: 409, retryable: false, meaning: 'a job of this name already exists' },
  body_too_large: { status: 413, retryable: false, meaning: 'the body is larger than the limit' },
  unsupported_media_type: { status: 415, retryable: false, meaning: 'Content-Type not supported on this path' },
  host_not_allowed: {
    status: 421,
    retryable: false,
    meaning: 'the Host header does not name this machine (checked only by `labelqueue local`)',
  },
  header_too_large: {
    status: 431,
    retryable: false,
    meaning: 'the request line and headers exceed the limit of API Gateway',
  },
  too_many_uploads: {
    status: 503,
    retryable: true,
    meaning: 'too many concurrent uploads (checked only by `labelqueue local`)',
  },
  service_unavailable: { status: 503, retryable: true, meaning: 'a request to SQS or S3 failed' },
  deadline_exceeded: { status: 504, retryable: true, meaning: 'request timed out' },
} as const satisfies Record<string, ProblemRow>;

/** A problem of a request other than its image. */
export type RequestProblemCode = keyof typeof REQUEST_PROBLEMS;
/** A problem of the request, or the failure of its image. */
export type ProblemCode = ErrorCode | RequestProblemCode;

/** All problem codes of the API. Retryable problems may succeed on a later request. */
export const PROBLEMS: Readonly<Record<ProblemCode, ProblemRow>> = {
  ...REQUEST_PROBLEMS,
  ...(Object.fromEntries(
    Object.entries(ERROR_CODES).map(([code, { retryable, meaning }]) => [
      code,
      { status: IMAGE_FAILURE_STATUS[code as ErrorCode], retryable, meaning },
    ]),
  ) as Record<ErrorCode, ProblemRow>),
};

/** The media type of a `ProblemDocument`. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The body of an error response (RFC 9457). */
export type ProblemDocument = {
  /** `urn:labelqueue:problem:<code>`: stable; not dereferenceable. */
  type: string;
  /** The meaning of the code; the same for every problem with this code. */
  title: string;
  status: number;
  /** What was expected and what came instead, for this request. */
  detail: string;
  code: ProblemCode;
  retryable: boolean;
};

/** @param detail may quote a library or a server: secrets of its URLs are removed */
export function problemDocument(code: ProblemCode, detail: string): ProblemDocument {
  const { status, retryable, meaning } = PROBLEMS[code];
  const type = `urn:labelqueue:problem:${code}`;
  return { type, title: meaning, status, detail: redactUrls(detail), code, retryable };
}
