/**
 * This folder is what the dashboard's server sends and accepts: all that its page may rely on. Types alone: a browser loads
 * nothing of it. The page is plain ES modules (`dashboard/page/*.js`) with these types in JSDoc comments, checked by tsc.
 *
 * Names. A count's name ends with what is counted, `Images` or `Messages`. `…At` are {@link EpochMs}. `…Seconds`,
 * `…PerSecond` and `…Usd` contain their unit. `null` is "not known"; 0 is a count of none.
 *
 * Untrusted texts (names of jobs and hosts, reasons, labels, URLs) are bounded and have no control or direction
 * characters; URLs have no user info, query or fragment. They are still texts: set them with `textContent`.
 */

/** Milliseconds since 1970, UTC. */
export type EpochMs = number;

/** What `?range=` may be. */
export type Range = '15m' | '1h' | '6h' | '24h' | '7d';
