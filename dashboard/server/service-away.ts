import { UserError } from '../../shared/contract/user-error.ts';

/** Error codes of Node and the SDK for a service that does not answer, or not properly. */
const NO_ANSWER = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'TimeoutError',
  'AbortError',
]);

/** Whether an error means that SQS or S3 is unreachable, not that there is a bug. */
export function isServiceAway(error: unknown): boolean {
  const {
    name = '',
    code = '',
    $metadata,
  } = (error ?? {}) as {
    name?: string;
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  return NO_ANSWER.has(code) || NO_ANSWER.has(name) || ($metadata?.httpStatusCode ?? 0) >= 500;
}

/** Whether an error comes from SQS or S3 (refusals included) or from data there: anything else is a bug. */
export function isOfService(error: unknown): boolean {
  const isOfSdk = typeof error === 'object' && error !== null && '$metadata' in error;
  return isOfSdk || error instanceof UserError || isServiceAway(error);
}
