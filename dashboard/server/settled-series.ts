import type { CountedPart } from '../../shared/jobs/part-walk.ts';
import { type Buckets, bucketAt } from './buckets.ts';

/** Images per bucket, and how many had an outcome before the first. */
export type SettledSeries = {
  classified: number[];
  failed: number[];
  failedByCode: Map<string, number[]>;
  settledBefore: number;
};

export function emptySeries({ count }: Buckets): SettledSeries {
  return { classified: zeros(count), failed: zeros(count), failedByCode: new Map(), settledBefore: 0 };
}

export function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

/** Adds the counts and times in the names of part files. */
export function addParts(series: SettledSeries, parts: readonly CountedPart[], buckets: Buckets): void {
  for (const { kind, part } of parts) {
    const bucket = bucketAt(buckets, part.writtenAt.getTime());
    if (bucket < 0) series.settledBefore += part.lines;
    else if (bucket < buckets.count) addPart(series, { kind, part }, bucket, buckets.count);
  }
}

function addPart(series: SettledSeries, { kind, part }: CountedPart, bucket: number, count: number): void {
  const totals = kind === 'results' ? series.classified : series.failed;
  totals[bucket] = (totals[bucket] ?? 0) + part.lines;
  for (const [code, lines] of part.codes) {
    const ofCode = series.failedByCode.get(code) ?? zeros(count);
    ofCode[bucket] = (ofCode[bucket] ?? 0) + lines;
    series.failedByCode.set(code, ofCode);
  }
}

/** Cumulative sums from the first bucket on. */
export function runningTotals(totals: readonly number[], before = 0): number[] {
  let sum = before;
  return totals.map((total) => {
    sum += total;
    return sum;
  });
}
