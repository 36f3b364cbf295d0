import Table from 'cli-table3';
import type { ImageRef } from '../shared/contract/message.ts';
import type { Outcomes } from '../shared/jobs/read-outcomes.ts';

/** Labels list all synonyms; a table has room for the first few. */
const MAX_LABEL_CHARS = 44;

export const NO_LINES_BETWEEN_ROWS = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/** A row an image, in the order of the manifest: its best label and score, or its error code. */
export function demoTable(images: readonly ImageRef[], { results, failures }: Outcomes): string {
  const table = new Table({
    head: ['image', 'best label', 'score'],
    style: { head: [], border: [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
  for (const { id } of images) {
    const best = results.get(id)?.labels[0];
    if (best === undefined) table.push([id, failures.get(id)?.error.code ?? '', '']);
    else table.push([id, shortened(best.label), best.score.toFixed(3)]);
  }
  return table.toString();
}

function shortened(label: string): string {
  return label.length <= MAX_LABEL_CHARS ? label : `${label.slice(0, MAX_LABEL_CHARS - 1)}…`;
}
