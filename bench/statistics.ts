/** A figure that was measured several times. */
export type Spread = { median: number; least: number; most: number };

/** @throws {RangeError} when there is no value */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = ascending(values);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) throw new RangeError('expected at least one value, got none');
  return { median: median(values), least, most };
}

/** Of an even number of values, the mean of the two in the middle; NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const [low, high] = [(sorted.length - 1) / 2, sorted.length / 2].map(Math.floor) as [number, number];
  return ((sorted[low] ?? Number.NaN) + (sorted[high] ?? Number.NaN)) / 2;
}

/** @param share e.g. 0.99; @returns NaN without values */
export function percentile(values: readonly number[], share: number): number {
  const sorted = ascending(values);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((one, other) => one - other);
}
