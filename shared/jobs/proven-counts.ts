import { addSums, subtractSum } from '../contract/id-sum.ts';
import type { PartTally } from './part-tally.ts';
import type { CountedPart } from './part-walk.ts';

/** The totals of a job in `job.json`: the number of its images, and the sum of their ids. */
export type JobTotals = { images: number; idSum: string };

/** What to subtract from a tally so that each image is counted once. */
export type Surplus = 'nothing' | 'failures' | CountedPart;

/**
 * Tries to prove that a job is complete without reading any part file: the counts and id sums of its part files match those of
 * the job. It tries what ordinary redeliveries leave behind: all files, the results only (each failed image has a result
 * now), and all but one file (its lines are in others too).
 *
 * @returns undefined when none of these match, which proves nothing
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

/** Leaving out a result would make the failure of the same image count, so only failures are left out if there are any. */
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
