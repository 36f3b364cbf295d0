import { eachSimilarPair } from '../../shared/classifier/model/tensorflow/similar-rows.ts';
import { mirroredOutline, OUTLINE_LENGTH } from './outline.ts';
import type { TaughtPhoto } from './photo-features.ts';

/** Of outlines: see `outlineOf` for what their cosines are. */
const SAME_OUTLINE = 0.9;
/**
 * Of features, for what is moved or cut: of different parts of one lawn, which are as alike as different photos get, the largest
 * cosine is 0.968.
 */
const SAME_FEATURES = 0.97;

/**
 * Visits each pair of photos that show nearly the same, mirrored or not, once.
 *
 * @param length of the features of a photo
 * @param visit called with the indices of two photos, the lower one first, and the cosine of what was compared
 */
export function eachNearDuplicatePair(
  photos: readonly TaughtPhoto[],
  length: number,
  visit: (one: number, other: number, likeness: number) => void,
): void {
  // A bit per pair: a film has millions of them, and 50 MB are enough for those of all photos that a training set may have.
  const seen = new Uint8Array(Math.ceil(photos.length ** 2 / 8));
  const once = (one: number, other: number, likeness: number) => {
    const pair = one * photos.length + other;
    const [at, bit] = [Math.floor(pair / 8), 1 << (pair % 8)];
    if (((seen[at] as number) & bit) !== 0) return;
    seen[at] = (seen[at] as number) | bit;
    visit(one, other, likeness);
  };
  const outlines = joined(photos.map(({ outline }) => outline));
  const mirrored = joined(photos.map(({ outline }) => mirroredOutline(outline)));
  eachSimilarPair({ rows: outlines, length: OUTLINE_LENGTH }, SAME_OUTLINE, once);
  eachSimilarPair({ rows: outlines, others: mirrored, length: OUTLINE_LENGTH }, SAME_OUTLINE, once);
  eachSimilarPair({ rows: joined(photos.map(({ features }) => features)), length }, SAME_FEATURES, once);
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const length = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * length);
  rows.forEach((row, index) => {
    all.set(row, index * length);
  });
  return all;
}
