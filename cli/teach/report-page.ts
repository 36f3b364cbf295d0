import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { count } from '../../dashboard/page/numbers.js';
import packageJson from '../../package.json' with { type: 'json' };
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { type Html, html } from '../report/html.ts';
import { selfContainedPage } from '../report/self-contained-page.ts';
import type { AlikePair } from './alike.ts';
import { confusionSection } from './confusion-table.ts';
import type { LabelledPhoto } from './labelled-photo.ts';
import { shownName } from './shown-name.ts';
import { type Judged, percentText, type Teaching } from './teaching.ts';
import type { WrittenModel } from './teaching-json.ts';

export type TeachingPage = {
  teaching: Teaching;
  model: WrittenModel;
  /** Data URIs by the sources of the photos. */
  thumbnails: ReadonlyMap<string, string>;
};

/** Of each list; the text and `--json` have the others. */
export const PAIRS_SHOWN = 12;
const ROWS_SHOWN = 200;

/** A page without scripts. */
export async function teachingPage(content: TeachingPage): Promise<string> {
  const { teaching, model } = content;
  return selfContainedPage({
    title: `${model.name} · labelqueue teach`,
    style: await styleOf(),
    body: html`<header>
<h1><bdi>${model.name}</bdi> <span class="chip">version ${model.version}</span></h1>
<p class="faint">taught from <bdi>${visibleLine(teaching.from)}</bdi></p>
${figuresOf(teaching)}
</header>
<main>
${sectionsOf(content)}
</main>
<footer>Made by labelqueue ${packageJson.version}.</footer>`,
  });
}

async function styleOf(): Promise<string> {
  const files = ['../../dashboard/page/theme.css', '../report/style.css', 'report-style.css'];
  return (await Promise.all(files.map((file) => readFile(join(import.meta.dirname, file), 'utf8')))).join('\n');
}

function figuresOf({ accuracy, inFloats, arithmetic, labels, views, epochs }: Teaching): Html {
  const photos = labels.reduce((sum, { training, heldOut }) => sum + training + heldOut, 0);
  const all: [name: string, value: string, note: string][] = [
    ['Accuracy', percentText(accuracy), `${accuracy.right} of ${count(accuracy.photos)} photos that were held out`],
    ...(inFloats === undefined
      ? []
      : [
          ['In 32-bit floats', percentText(inFloats), `the first figure is in ${arithmetic}`] as [
            string,
            string,
            string,
          ],
        ]),
    ['Labels', count(labels.length), `${count(photos)} different photos`],
    ['Learned from', count(photos - accuracy.photos), `${views + 1} views per photo, ${epochs.best} epochs`],
  ];
  return html`<dl class="figures">${all.map(
    ([name, value, note]) => html`<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>\n`,
  )}</dl>`;
}

function sectionsOf({ teaching, thumbnails }: TeachingPage): Html[] {
  const { warnings, labels, unsure, acrossLabels, pairs, pairCount, copies } = teaching;
  return [
    ...warnings.map(
      ({ code, message }) =>
        html`<section class="wide"><h2><span class="chip warning">${code}</span></h2>${message}</section>\n`,
    ),
    confusionSection(teaching),
    html`<section><h2>Photos per label</h2>${table(
      ['label', 'learned from', 'held out', 'right'],
      labels.map(({ label, training, heldOut, right }) => [label, count(training), count(heldOut), count(right)]),
    )}</section>`,
    html`<section class="wide"><h2>Least sure of</h2>
<p class="faint">The probability of the label that a photo stands under. A photo under a wrong label is among these.</p>
<div class="photos">${unsure.map((judged) => judgedFigure(judged, thumbnails))}</div></section>`,
    ...pairsSection('Nearly the same under two labels', acrossLabels, acrossLabels.length, thumbnails),
    ...pairsSection('Nearly the same, of one label', pairs, pairCount, thumbnails),
    ...(copies.length > 0
      ? [
          html`<section class="wide"><h2>Copies of a file, each used once</h2>${table(
            ['photo', 'is the same file as'],
            copies.slice(0, ROWS_SHOWN).map(({ copy, of }) => [shownName(copy), shownName(of)]),
          )}</section>`,
        ]
      : []),
    ...unusedSection(teaching),
  ];
}

function unusedSection({ failures, leftOut }: Teaching): Html[] {
  if (failures.length + leftOut.size === 0) return [];
  const rows = [
    ...failures
      .slice(0, ROWS_SHOWN)
      .map(({ failure, ...photo }) => [shownName(photo), `${failure.code}: ${failure.message}`]),
    ...[...leftOut].map(([reason, files]) => [count(files), reason]),
  ];
  return [html`<section class="wide"><h2>Not used</h2>${table(['what', 'why'], rows)}</section>`];
}

function pairsSection(
  title: string,
  pairs: readonly AlikePair[],
  total: number,
  thumbnails: TeachingPage['thumbnails'],
): Html[] {
  if (pairs.length === 0) return [];
  const more = total > PAIRS_SHOWN ? ` (${PAIRS_SHOWN} of ${count(total)} pairs)` : '';
  const shown = pairs
    .slice(0, PAIRS_SHOWN)
    .map(
      ({ one, other, likeness }) =>
        html`<div class="pair">${[one, other].map((photo) =>
          figure(photo, thumbnails, html`<b>${likeness.toFixed(2)}</b> <bdi>${photo.label}</bdi>`),
        )}</div>\n`,
    );
  return [html`<section class="wide"><h2>${title}${more}</h2><div class="pairs">${shown}</div></section>`];
}

function judgedFigure(
  { photo, score, best, bestScore, heldOut }: Judged,
  thumbnails: TeachingPage['thumbnails'],
): Html {
  const rather = best === photo.label ? '' : html`<br>rather <bdi>${best}</bdi> ${bestScore.toFixed(2)}`;
  const part = heldOut ? 'held out' : 'learned from';
  return figure(photo, thumbnails, html`<b>${score.toFixed(2)}</b> <bdi>${photo.label}</bdi>${rather}<br>${part}`);
}

function figure(photo: LabelledPhoto, thumbnails: TeachingPage['thumbnails'], caption: Html): Html {
  const name = shownName(photo);
  const source = thumbnails.get(photo.source);
  const image =
    source === undefined
      ? ''
      : html`<img src="${source}" alt="${photo.label}" width="240" height="240" loading="lazy">`;
  return html`<figure>${image}<figcaption title="${name}">${caption}<br><bdi>${endOf(name)}</bdi></figcaption></figure>\n`;
}

/** The end of a path or a URL, by which photos differ. */
function endOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1) || name;
}

/** The first column is text; the others are numbers where there are more than two. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  const kind = (index: number) => (index > 0 && head.length > 2 ? 'number' : '');
  return html`<div class="scrollable" tabindex="0"><table>
<thead><tr>${head.map((text, index) => html`<th scope="col" class="${kind(index)}">${text}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((text, index) => html`<td class="${kind(index)}"><bdi>${text}</bdi></td>`)}</tr>\n`)}</tbody>
</table></div>`;
}
