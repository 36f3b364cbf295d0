import { UserError } from '../../shared/contract/user-error.ts';

/** What Node and the SDK call a service that gives no answer, or none that is one. */
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

/** Whether an error says that SQS or S3 is away, and not that something is wrong here. */
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

/** Whether an error is one of SQS or S3, what they refuse included, or of what lies there: anything else is a bug. */
export function isOfService(error: unknown): boolean {
  const isOfSdk = typeof error === 'object' && error !== null && '$metadata' in error;
  return isOfSdk || error instanceof UserError || isServiceAway(error);
}
