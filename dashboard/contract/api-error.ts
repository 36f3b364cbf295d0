/** The body of each response that is not 2xx. */
export type ApiError = {
  error: {
    code: ApiErrorCode;
    /** One sentence: what was expected, what came, what to do next. */
    message: string;
    /** What must be typed, with `count-changed` and `not-confirmed`. */
    expected?: string;
  };
};

export type ApiErrorCode =
  | 'bad-request'
  | 'host-not-allowed'
  | 'origin-not-allowed'
  | 'token-required'
  | 'csrf'
  | 'read-only'
  | 'not-found'
  | 'no-such-job'
  | 'picture-unavailable'
  | 'not-confirmed'
  | 'count-changed'
  | 'not-possible'
  | 'busy'
  | 'service-away'
  | 'internal';
