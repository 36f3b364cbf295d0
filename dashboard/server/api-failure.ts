import type { ApiError, ApiErrorCode } from '../contract/api-error.ts';

const STATUS = {
  'bad-request': 400,
  'token-required': 401,
  'host-not-allowed': 421,
  'origin-not-allowed': 403,
  csrf: 403,
  'read-only': 403,
  'not-found': 404,
  'no-such-job': 404,
  'picture-unavailable': 404,
  'not-confirmed': 409,
  'count-changed': 409,
  'not-possible': 409,
  busy: 503,
  'service-away': 503,
  internal: 500,
} as const satisfies Record<ApiErrorCode, number>;

/** A request that fails in an expected way: thrown by routes, and turned into a response in one place. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly code: ApiErrorCode;
  readonly expected: string | undefined;

  /** @param message one sentence: what was expected, what came, what to do next */
  constructor(code: ApiErrorCode, message: string, expected?: string) {
    super(message);
    this.code = code;
    this.expected = expected;
  }

  get status(): (typeof STATUS)[ApiErrorCode] {
    return STATUS[this.code];
  }

  get body(): ApiError {
    const { code, message, expected } = this;
    return { error: { code, message, ...(expected !== undefined && { expected }) } };
  }
}
