import { count } from '../../dashboard/page/numbers.js';
import { type Html, html } from '../report/html.ts';
import type { Teaching } from './teaching.ts';

/** Labels of which the whole table is shown; it has their square of cells. */
const MAX_LABELS = 30;
/** Shades of a cell, from none of a row to all of it; the style has a class for each. */
const SHADES = 5;

/** The confusion matrix of the test photos. */
export function confusionSection({ labels, confusion }: Teaching): Html {
  const order = mostConfused(confusion).slice(0, MAX_LABELS);
  const more =
    labels.length > MAX_LABELS
      ? ` (${MAX_LABELS} of ${count(labels.length)} labels, those with the most confusions)`
      : '';
  const name = (index: number) => labels[index]?.label as string;
  return html`<section><h2>Predictions for the test photos${more}</h2>
<div class="scrollable" tabindex="0"><table class="confusion">
<thead><tr><th scope="col">actual label</th>${order.map((column) => html`<th scope="col" class="number"><bdi>${name(column)}</bdi></th>`)}</tr></thead>
<tbody>${order.map(
    (row) =>
      html`<tr><th scope="row"><bdi>${name(row)}</bdi></th>${order.map((column) => cell(confusion[row] ?? [], row, column))}</tr>\n`,
  )}</tbody></table></div></section>`;
}

function cell(counts: readonly number[], row: number, column: number): Html {
  const photos = counts[column] ?? 0;
  const total = counts.reduce((sum, value) => sum + value, 0);
  const shade = total === 0 ? 0 : Math.ceil((photos / total) * SHADES);
  return html`<td class="number ${row === column ? 'right' : 'wrong'} shade-${shade}">${count(photos)}</td>`;
}

/** All labels in order if there are few; else those with the most mistakes first. */
function mostConfused(confusion: readonly (readonly number[])[]): number[] {
  const all = [...confusion.keys()];
  if (all.length <= MAX_LABELS) return all;
  const mistakes = confusion.map((cells, row) =>
    cells.reduce((sum, photos, column) => sum + (row === column ? 0 : photos), 0),
  );
  return all.toSorted((one, other) => (mistakes[other] ?? 0) - (mistakes[one] ?? 0));
}
