import { type Label, labelText } from '../../shared/contract/result-line.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';

/** One line per label. */
export function labelsText(labels: readonly Label[]): string {
  // Of a model with a threshold.
  if (labels.length === 0) return 'no label reaches the threshold\n';
  return labels.map((label) => `${visibleLine(labelText(label))}\n`).join('');
}
