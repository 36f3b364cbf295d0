import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { Pairs } from './near-duplicates.ts';
import type { SimilarImage } from './similar-image.ts';

/** One line per image: score, id, best label. */
export function similarText(images: readonly { score: number; item: SimilarImage }[]): string {
  return images.map(({ score, item }) => `${score.toFixed(4)}  ${named(item)}\n`).join('');
}

/** One line per pair. */
export function pairsText({ pairs }: Pairs): string {
  return pairs
    .map(({ score, item: { one, other } }) => {
      const copies = one.sha256 !== null && one.sha256 === other.sha256 ? '  (the same bytes)' : '';
      return `${score.toFixed(4)}  ${visibleLine(one.id)}  ${visibleLine(other.id)}${copies}\n`;
    })
    .join('');
}

function named({ id, label }: SimilarImage): string {
  return label === null ? visibleLine(id) : `${visibleLine(id)}  ${visibleLine(label)}`;
}
