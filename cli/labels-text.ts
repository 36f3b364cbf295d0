import { type Label, labelText } from '../shared/contract/result-line.ts';

/** A line a label. */
export function labelsText(labels: readonly Label[]): string {
  // Of a model with a threshold.
  if (labels.length === 0) return 'no label reaches the threshold\n';
  return labels.map((label) => `${labelText(label)}\n`).join('');
}
