import type { ZodError } from 'zod';
import type { ImageFailure } from '../../shared/contract/error-codes.ts';
import { PROBLEMS, type ProblemCode, type ProblemDocument, problemDocument } from '../../shared/contract/problem.ts';
import { issuesText } from '../../shared/contract/schema-issues.ts';

/** Longer than any caller will wait; the server of an image may ask for any time. */
const MAX_RETRY_AFTER_SECONDS = 86_400;
const MAX_DETAIL_CHARS = 500;

/** An expected failure of a request. It is returned, never thrown. */
export class ProblemResponse {
  readonly code: ProblemCode;
  readonly document: ProblemDocument;
  readonly headers: Record<string, string>;

  constructor(code: ProblemCode, detail: string, headers: Record<string, string> = {}) {
    this.code = code;
    this.document = problemDocument(code, detail);
    this.headers = headers;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** The problem of a failed image, with its server's `Retry-After`. */
export function imageProblem({ code, message, retryAfterSeconds }: ImageFailure): ProblemResponse {
  if (retryAfterSeconds === undefined) return new ProblemResponse(code, message);
  return new ProblemResponse(code, message, {
    'retry-after': String(Math.min(retryAfterSeconds, MAX_RETRY_AFTER_SECONDS)),
  });
}

/**
 * The problem of a request that does not match its schema.
 *
 * @param given the validated value
 */
export function schemaProblem(error: ZodError, given: unknown): ProblemResponse {
  const text = issuesText(error, given).replaceAll(/\s+/g, ' ');
  return new ProblemResponse(
    'invalid_request',
    text.length > MAX_DETAIL_CHARS ? `${text.slice(0, MAX_DETAIL_CHARS)}…` : text,
  );
}
