import type { ImageRef } from '../../shared/contract/message.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { Outcomes } from '../../shared/jobs/read-outcomes.ts';
import { compactTable } from '../terminal/compact-table.ts';

/** Labels list all synonyms; the table shows the first few. */
const MAX_LABEL_CHARS = 44;

/** For an image without a label above the model's threshold. */
const NO_LABEL = '(no label)';

/** One row per image, in the order of the manifest: best label and score, or error code. */
export function demoTable(images: readonly ImageRef[], { results, failures }: Outcomes): string {
  const table = compactTable(['image', 'best label', 'score']);
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
