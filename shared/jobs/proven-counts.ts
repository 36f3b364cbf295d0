import { addSums, subtractSum } from '../contract/id-sum.ts';
import type { PartTally } from './part-tally.ts';
import type { CountedPart } from './part-walk.ts';

/** What a producer wrote down of a job: how many images, and the sum of their ids. */
export type JobTotals = { images: number; idSum: string };

/** What to leave out of a tally so that each image is counted once. */
export type Surplus = 'nothing' | 'failures' | CountedPart;

/**
 * Finds out that the counts and sums of ids of a job's part files are those of the job: it is complete then, without a
 * look into any of them. Tried are those that ordinary redeliveries leave: all of them, the results alone (each failure
 * was made good), and all but one file (its lines are elsewhere too).
 *
 * @returns undefined when none of these fit, which proves nothing
 */
export async function provenSurplus(tally: PartTally, totals: JobTotals): Promise<Surplus | undefined> {
  const { results, failures } = tally;
  if (results.idSum === undefined || failures.idSum === undefined) return undefined;
  // The results alone come first: where an image has both, its result counts.
  if (results.lines === totals.images && results.idSum === totals.idSum) return 'failures';
  const sum = addSums([results.idSum, failures.idSum]);
  if (tally.lines === totals.images && sum === totals.idSum) return 'nothing';
  return surplusPart(tally, { lines: tally.lines - totals.images, idSum: subtractSum(sum, totals.idSum) });
}

/** A result that is left out would make the failure of the same image count: so only failures are, if there are any. */
async function surplusPart(
  tally: PartTally,
  surplus: { lines: number; idSum: string },
): Promise<CountedPart | undefined> {
  if (surplus.lines <= 0) return undefined;
  const candidates = tally.failures.parts > 0 ? 'failures' : 'results';
  let found: CountedPart | undefined;
  await tally.again((counted) => {
    const { lines, idSum } = counted.part;
    if (counted.kind === candidates && lines === surplus.lines && idSum === surplus.idSum) found ??= counted;
  });
  return found;
}
