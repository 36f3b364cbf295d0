import type { Label } from '../shared/contract/result-line.ts';

/** A line a label, in the form that TensorFlow's own image classifier made known. */
export function labelsText(labels: readonly Label[]): string {
  // Of a model with a threshold.
  if (labels.length === 0) return 'no label reaches the threshold\n';
  return labels.map(({ label, score }) => `${label} (score = ${score.toFixed(5)})\n`).join('');
}
