import Table from 'cli-table3';
import type { ImageRef } from '../../shared/contract/message.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { Outcomes } from '../../shared/jobs/read-outcomes.ts';

/** Labels list all synonyms; the table shows the first few. */
const MAX_LABEL_CHARS = 44;

/** For an image without a label above the model's threshold. */
const NO_LABEL = '(no label)';

export const NO_LINES_BETWEEN_ROWS = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/** One row per image, in the order of the manifest: best label and score, or error code. */
export function demoTable(images: readonly ImageRef[], { results, failures }: Outcomes): string {
  const table = new Table({
    head: ['image', 'best label', 'score'],
    style: { head: [], border: [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
  for (const { id } of images) {
    const labels = results.get(id)?.labels;
    const best = labels?.[0];
    if (best !== undefined) table.push([visibleLine(id), visibleLine(shortened(best.label)), best.score.toFixed(3)]);
    else table.push([visibleLine(id), labels === undefined ? (failures.get(id)?.error.code ?? '') : NO_LABEL, '']);
  }
  return table.toString();
}

function shortened(label: string): string {
  return label.length <= MAX_LABEL_CHARS ? label : `${label.slice(0, MAX_LABEL_CHARS - 1)}…`;
}
