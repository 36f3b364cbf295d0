import type { EpochMs } from './units.ts';

/**
 * A letter is listed if one of its images matches all given fields. A redrive sends the matching images, and removes
 * letters whose images were all sent.
 */
export type DeadLetterFilter = {
  job?: string;
  /** An error code, or `unreadable`. */
  code?: string;
  /** The host name, with the port if the URL has one. */
  host?: string;
  /** Contained in id, URL (without query) or message of an image, or in the reason of a malformed message. */
  text?: string;
};

/**
 * `GET /api/dead-letters?job=&code=&host=&text=[&fresh=1]`. Letters are put back after the scan. A scan takes some
 * seconds and is reused for other filters for 15 s, unless `fresh=1` requests a new one.
 */
export type DeadLetters = {
  filter: DeadLetterFilter;
  /** Time of the scan. */
  lookedAt: EpochMs;
  lookedAtMessages: number;
  /** Approximate number of letters that were not read: other readers hold them, or there were too many. */
  notLookedAtMessages: number;
  /** Number of matching letters, which must be typed to redrive or delete them. */
  matchingMessages: number;
  matchingImages: number;
  /** The newest first, at most 200. */
  letters: DeadLetterRow[];
  /** For the filter's lists, of all letters that were read; most frequent first, at most 50 each. */
  jobs: { name: string; messages: number }[];
  codes: { name: string; messages: number }[];
  hosts: { name: string; messages: number }[];
};

export type DeadLetterRow = {
  letterId: string;
  sentAt: EpochMs;
  reason: string | null;
  /** Null for a malformed message. */
  job: string | null;
  run: string | null;
  /** At most 20; the others are counted in `moreImages`. Empty for a malformed message. */
  images: DeadLetterImage[];
  moreImages: number;
  /** The beginning of a malformed body; null otherwise. */
  unreadableBody: string | null;
};

export type DeadLetterImage = {
  id: string;
  url: string;
  host: string;
  code: string;
  message: string;
  attempts: number;
  thumbnail: string;
};
