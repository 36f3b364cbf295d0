import type { Label } from '../../contract/result-line.ts';

/**
 * The `k` best classes of an image, best first; of equal scores the smaller class id comes first. Inserts into a short sorted
 * list: no sort of a thousand scores, no garbage.
 *
 * @param scores one score per label, in their order; may be followed by those of other images
 * @param threshold classes with a lower score are left out, which may be all
 */
export function topK(
  scores: Float32Array,
  labels: readonly string[],
  k: number,
  threshold = Number.NEGATIVE_INFINITY,
): Label[] {
  const best: Label[] = [];
  for (let classId = 0; classId < labels.length; classId++) {
    const score = scores[classId] as number;
    if (score < threshold || (best.length === k && score <= (best[k - 1] as Label).score)) continue;
    if (best.length === k) best.pop();
    let rank = best.length;
    while (rank > 0 && (best[rank - 1] as Label).score < score) rank--;
    best.splice(rank, 0, { label: labels[classId] as string, score, classId });
  }
  return best;
}
