import { addSums, subtractSum } from '../contract/id-sum.ts';
import { type Part, totalLines } from './list-parts.ts';

/** Part files that hold each image of a job exactly once. */
export type PartsOfJob = { results: readonly Part[]; failures: readonly Part[] };

/** What a producer wrote down of a job: how many images, and the sum of their ids. */
export type JobTotals = { images: number; idSum: string };

/**
 * Finds part files whose counts and sums of ids are those of their job: it is complete then, without a look
 * into any of them. Tried are those that ordinary redeliveries leave: all of them, the results alone (each failure was
 * made good), and all but one file (its lines are elsewhere too).
 *
 * @returns undefined when none of these fit, which proves nothing
 */
export function provenParts(parts: PartsOfJob, totals: JobTotals): PartsOfJob | undefined {
  const { results, failures } = parts;
  const all = [...results, ...failures];
  if (!all.every(hasSum)) return undefined;
  // The results alone come first: where an image has both, its result counts.
  if (fits(results, totals)) return { results, failures: [] };
  if (fits(all, totals)) return parts;
  const surplus = surplusPart(all, totals, failures.length > 0 ? failures : results);
  if (surplus === undefined) return undefined;
  const remains = (part: Part) => part !== surplus;
  return { results: results.filter(remains), failures: failures.filter(remains) };
}

function fits(parts: readonly Part[], { images, idSum }: JobTotals): boolean {
  return totalLines(parts) === images && sumOf(parts) === idSum;
}

/** A result that is left out would make the failure of the same image count: so only failures are, if there are any. */
function surplusPart(all: readonly Part[], { images, idSum }: JobTotals, candidates: readonly Part[]) {
  const lines = totalLines(all) - images;
  const surplus = subtractSum(sumOf(all), idSum);
  return candidates.find((part) => part.lines === lines && part.idSum === surplus);
}

function sumOf(parts: readonly Part[]): string {
  return addSums(parts.map(({ idSum = '0' }) => idSum));
}

function hasSum({ idSum }: Part): boolean {
  return idSum !== undefined;
}
