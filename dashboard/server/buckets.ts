import type { Range } from '../contract/units.ts';

/** The length of a range and of its buckets: at most 300, of round lengths. */
const RANGES = {
  '15m': { seconds: 900, bucketSeconds: 5 },
  '1h': { seconds: 3_600, bucketSeconds: 15 },
  '6h': { seconds: 6 * 3_600, bucketSeconds: 120 },
  '24h': { seconds: 24 * 3_600, bucketSeconds: 300 },
  '7d': { seconds: 7 * 24 * 3_600, bucketSeconds: 3_600 },
} as const satisfies Record<Range, { seconds: number; bucketSeconds: number }>;

const MAX_BUCKETS = 300;
const BUCKET_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

export function isRange(text: string): text is Range {
  return Object.hasOwn(RANGES, text);
}

/** Consecutive time buckets of equal length. */
export type Buckets = {
  /** Start of the first bucket and end of the last, in milliseconds. */
  fromAt: number;
  toAt: number;
  bucketMs: number;
  /** The end of the data in the last bucket, which may be incomplete. */
  now: number;
  count: number;
};

/** The buckets of a range that ends now; they begin at times that are multiples of their length. */
export function bucketsOf(range: Range, now: number): Buckets {
  const { seconds, bucketSeconds } = RANGES[range];
  const bucketMs = bucketSeconds * 1_000;
  // The bucket at the start of the range is left out, because it would be incomplete.
  return buckets({ first: Math.floor((now - seconds * 1_000) / bucketMs) + 1, to: now, bucketMs, now });
}

/** The smallest buckets that cover a period with at most 300 of them. */
export function bucketsBetween(from: number, to: number, now: number): Buckets {
  const seconds = Math.max(1, (to - from) / 1_000);
  const bucketSeconds =
    BUCKET_SECONDS.find((one) => seconds / one <= MAX_BUCKETS - 2) ?? Math.ceil(seconds / (MAX_BUCKETS - 2));
  const bucketMs = bucketSeconds * 1_000;
  return buckets({ first: Math.floor(from / bucketMs), to, bucketMs, now });
}

function buckets({ first, to, bucketMs, now }: { first: number; to: number; bucketMs: number; now: number }): Buckets {
  const last = Math.max(first, Math.floor(to / bucketMs));
  return { fromAt: first * bucketMs, toAt: (last + 1) * bucketMs, bucketMs, now, count: last - first + 1 };
}

/** The index of the bucket of a time; below 0 before the first, from `count` on after the last. */
export function bucketAt({ fromAt, bucketMs }: Buckets, at: number): number {
  return Math.floor((at - fromAt) / bucketMs);
}

export function beginnings({ fromAt, bucketMs, count }: Buckets): number[] {
  return Array.from({ length: count }, (_, index) => fromAt + index * bucketMs);
}

/** Totals per second; in the last bucket, per elapsed second. */
export function perSecond({ bucketMs, toAt, now, count }: Buckets, totals: readonly number[]): number[] {
  const lastMs = Math.max(1_000, Math.min(bucketMs, now - (toAt - bucketMs)));
  return totals.map((total, index) => (total * 1_000) / (index === count - 1 ? lastMs : bucketMs));
}
