import type { ErrorCode } from '../../shared/contract/error-codes.ts';

/** The reasons of failures that matter to a user of the chatbot. */
export type FailureReason =
  | 'not-an-address'
  | 'not-allowed'
  | 'missing'
  | 'refused'
  | 'no-answer'
  | 'slow'
  | 'busy'
  | 'not-an-image'
  | 'unknown-format'
  | 'broken-image'
  | 'too-large'
  | 'own-fault';

/** The reason that a reply gives for each error code. */
export const FAILURE_REASONS: Record<ErrorCode, FailureReason> = {
  invalid_url: 'not-an-address',
  scheme_not_allowed: 'not-an-address',
  credentials_in_url: 'not-allowed',
  address_not_allowed: 'not-allowed',
  bucket_not_allowed: 'not-allowed',
  too_many_redirects: 'no-answer',
  not_found: 'missing',
  gone: 'missing',
  forbidden: 'refused',
  http_error: 'no-answer',
  tls_invalid: 'no-answer',
  invalid_response: 'no-answer',
  too_large: 'too-large',
  name_not_resolved: 'no-answer',
  timeout: 'slow',
  connection_failed: 'no-answer',
  rate_limited: 'busy',
  server_error: 'busy',
  empty: 'broken-image',
  not_an_image: 'not-an-image',
  unsupported_format: 'unknown-format',
  corrupt: 'broken-image',
  too_many_pixels: 'too-large',
  decode_timeout: 'too-large',
  inference_failed: 'own-fault',
  internal_error: 'own-fault',
  worker_crashed: 'own-fault',
};
