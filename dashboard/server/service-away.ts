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
