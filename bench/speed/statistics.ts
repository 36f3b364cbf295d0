/** A figure that was measured several times. */
export type Spread = { median: number; least: number; most: number };

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const [least, most] = [sorted[0], sorted.at(-1)];
  const middle = sorted.length >> 1;
  const [high, low] = [sorted[middle], sorted[middle - (sorted.length % 2 === 0 ? 1 : 0)]];
  if (least === undefined || most === undefined || high === undefined || low === undefined) {
    throw new Error('expected at least one value');
  }
  return { median: (high + low) / 2, least, most };
}
