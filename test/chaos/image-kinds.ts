import expectedLabels from '../../samples/expected.json' with { type: 'json' };
import type { ErrorCode } from '../../shared/contract/error-codes.ts';

/**
 * The outcome that is right for an image; of several codes any. What is merely odd may be labeled or refused, once: but
 * not by an error of labelqueue itself.
 */
export type RightOutcome = { label: string } | { code: ErrorCode } | { codes: readonly ErrorCode[] } | 'any';

/** A path of the misbehaving image server, and what must become of an image there. */
export type ImageKind = {
  /** @param key makes the path one that no other image has */
  path: (key: string) => string;
  right: RightOutcome;
};

/** Labeled at the first attempt, or at a later one. */
export const GOOD: ImageKind[] = [
  ...Object.entries(expectedLabels).map(([photo, { label }]) => kind(`/${photo}`, { label })),
  coffee('/wrong-type'),
  coffee('/redirect/1'),
  coffee('/redirect/5'),
  coffee('/gzip'),
  coffee('/once/500'),
  coffee('/once/503'),
  coffee('/once/429', '?retry-after=1'),
];

/** What no retry mends. */
export const BAD: ImageKind[] = [
  failing('/status/404', 'not_found'),
  failing('/status/403', 'forbidden'),
  failing('/status/410', 'gone'),
  failing('/status/418', 'http_error'),
  failing('/photos/not-an-image.jpg', 'not_an_image'),
  failing('/photos/truncated.jpg', 'corrupt'),
  failing('/half-photo', 'corrupt'),
  failing('/page', 'not_an_image'),
  failing('/empty', 'empty'),
  failing('/redirect/6', 'too_many_redirects'),
  failing('/redirect-loop', 'too_many_redirects'),
  // Where it leads, nobody listens: port 1 of this machine is not among the allowed hosts.
  failing('/redirect-to', 'address_not_allowed', '?url=http://127.0.0.1:1/'),
  failing('/redirect-to', 'scheme_not_allowed', '?url=file:///etc/hostname'),
  failing('/large', 'too_large'),
  failing('/large', 'too_large', '?announced=no'),
  failing('/endless', 'too_large'),
  failing('/gzip-bomb', 'too_large'),
  failing('/not-gzip', 'invalid_response'),
  failing('/half-gzip', 'invalid_response'),
  failing('/strange-encoding', 'invalid_response'),
  failing('/gibberish', 'invalid_response'),
  failing('/bad-chunk', 'invalid_response'),
  failing('/huge-header', 'invalid_response'),
];

/** What is tried five times, and then given up. */
export const HOPELESS: ImageKind[] = [
  failing('/status/503', 'server_error'),
  failing('/status/500', 'server_error'),
  failing('/status/429', 'rate_limited', '?retry-after=1'),
  failing('/reset', 'connection_failed'),
  failing('/reset', 'connection_failed', '?after=headers'),
  failing('/truncated', 'connection_failed'),
];

/** Hopeless too, and each attempt takes as long as a fetch may. */
export const SLOW: ImageKind[] = [
  failing('/hang', 'timeout'),
  failing('/stall', 'timeout'),
  failing('/drip', 'timeout'),
];

function coffee(path: string, query = ''): ImageKind {
  return kind(path, { label: expectedLabels['photos/coffee.jpg'].label }, query);
}

function failing(path: string, code: ErrorCode, query = ''): ImageKind {
  return kind(path, { code }, query);
}

function kind(path: string, right: RightOutcome, query = ''): ImageKind {
  return { path: (key) => `${path}/${key}${query}`, right };
}
