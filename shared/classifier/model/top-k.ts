import type { Label } from '../../contract/result-line.ts';

/**
 * The `k` best classes of one row of scores, best first; of equal scores the smaller class id
 * comes first. An insertion into a short sorted list: no sort of a thousand scores, no garbage.
 *
 * @param scores the scores of a whole batch; the row starts at `start` and has a score a label
 * @param threshold classes whose score is below it are left out, which may be all
 */
export function topK(
  scores: Float32Array,
  start: number,
  labels: readonly string[],
  k: number,
  threshold = Number.NEGATIVE_INFINITY,
): Label[] {
  const best: Label[] = [];
  for (let classId = 0; classId < labels.length; classId++) {
    const score = scores[start + classId] as number;
    if (score < threshold || (best.length === k && score <= (best[k - 1] as Label).score)) continue;
    if (best.length === k) best.pop();
    let rank = best.length;
    while (rank > 0 && (best[rank - 1] as Label).score < score) rank--;
    best.splice(rank, 0, { label: labels[classId] as string, score, classId });
  }
  return best;
}
