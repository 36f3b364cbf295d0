import type { OpenModel } from '../../../shared/classifier/model/open-model.ts';

/** How the answers of two models differ. */
export type Agreement = { photos: number; largestDifference: number; otherBest: number };

/** Milliseconds per image, in batches of this size. */
export type Comparison = { images: number; before: number; after: number };

/** @param pictures pixels as `decode-image` gives them */
export function compareScores(one: OpenModel, other: OpenModel, pictures: readonly Uint8Array[]): Agreement {
  let [largestDifference, otherBest] = [0, 0];
  for (const picture of pictures) {
    const [scores, others] = [one.scores([picture]), other.scores([picture])];
    if (bestOf(scores) !== bestOf(others)) otherBest++;
    for (const [index, score] of scores.entries()) {
      largestDifference = Math.max(largestDifference, Math.abs(score - (others[index] ?? Number.POSITIVE_INFINITY)));
    }
  }
  return { photos: pictures.length, largestDifference, otherBest };
}

function bestOf(scores: Float32Array): number {
  return scores.indexOf(Math.max(...scores));
}

/** Whether a batch gives what its images give one by one. @returns the largest difference of a score */
export function batchDifference(model: OpenModel, pictures: readonly Uint8Array[]): number {
  const together = model.scores(pictures);
  const alone = pictures.flatMap((picture) => [...model.scores([picture])]);
  return alone.reduce((largest, score, index) => Math.max(largest, Math.abs(score - (together[index] ?? 0))), 0);
}

const BATCHES = [1, 8];
const MIN_ROUNDS = 5;
const MIN_MILLISECONDS = 1_000;

/** Alternating, so that other load slows both. Medians, after a warm-up round. */
export function compareTimes(before: OpenModel, after: OpenModel): Comparison[] {
  return BATCHES.map((images) => {
    const { inputSize } = before.folder.config;
    const batch = Array.from({ length: images }, () => new Uint8Array(inputSize ** 2 * 3).fill(127));
    const times: [number[], number[]] = [[], []];
    for (const model of [before, after]) model.scores(batch);
    const started = performance.now();
    while (times[0].length < MIN_ROUNDS || performance.now() - started < MIN_MILLISECONDS) {
      times[0].push(timeOf(before, batch));
      times[1].push(timeOf(after, batch));
    }
    return { images, before: medianOf(times[0]) / images, after: medianOf(times[1]) / images };
  });
}

function timeOf(model: OpenModel, batch: readonly Uint8Array[]): number {
  const started = performance.now();
  model.scores(batch);
  return performance.now() - started;
}

function medianOf(times: number[]): number {
  return times.sort((one, other) => one - other)[Math.floor(times.length / 2)] as number;
}
