import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { raw } from 'hono/html';
import { clockTime, count, percent, span } from '../../dashboard/page/numbers.js';
import { lastPart, plain } from '../../dashboard/page/plain-text.js';
import { redactUrls } from '../../shared/contract/redact.ts';
import type { Summary } from '../export/summarize.ts';
import { figures, STATES } from './figures.ts';
import type { Shelf } from './gallery.ts';
import { type Html, html, jsonScript } from './html.ts';
import type { Timeline } from './report-data.ts';
import { selfContainedPage } from './self-contained-page.ts';

export type ReportContent = { summary: Summary; timeline: Timeline; gallery: readonly Shelf[] };

/** The other labels are in the table and in the summary. */
const CHARTED_LABELS = 20;
const TABLE_ROWS = 200;
const HOST_ROWS = 15;

/**
 * A page that needs nothing but itself: style, charts and thumbnails are in it, and its policy lets
 * nothing else in. Without JavaScript it shows tables in place of charts.
 */
export async function reportPage(content: ReportContent): Promise<string> {
  const own = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');
  const shared = (name: string) => readFile(join(import.meta.dirname, '../../dashboard/page', name), 'utf8');
  const [theme, ownStyle, chartLibrary, chartTheme, charts] = await Promise.all([
    shared('theme.css'),
    own('style.css'),
    readFile(chartLibraryPath(), 'utf8'),
    shared('chart-theme.js'),
    own('charts.js'),
  ]);
  const style = `${theme}\n${ownStyle}`;
  const library = forScript(chartLibrary);
  // What the first exports, the second has beside it: nothing is imported from anywhere.
  const module = forScript(`${chartTheme}\n${charts}`);
  const { summary } = content;
  return selfContainedPage({
    title: `${summary.job} · labelqueue report`,
    style,
    scripts: [library, module],
    body: html`${headerOf(summary)}
<main>
${sectionsOf(content)}
</main>
<footer>Made by labelqueue ${summary.labelqueue} on ${clockTime(summary.createdAt)}. Times are UTC.</footer>
${jsonScript('data', chartData(content))}
<script>${raw(library)}</script>
<script type="module">${raw(module)}</script>`,
  });
}

/** The package's own build for a `<script>`; its exports do not name it. */
function chartLibraryPath(): string {
  return join(dirname(createRequire(import.meta.url).resolve('chart.js')), 'chart.umd.min.js');
}

/** The map that the last line names is not here. */
function forScript(source: string): string {
  const script = source.replace(/^\/\/# sourceMappingURL=.*$/m, '');
  if (/<\/script|<!--|\r/i.test(script)) throw new Error('expected a script that can stand in a page');
  return script;
}

function headerOf(summary: Summary): Html {
  const { job, state, source, models } = summary;
  const { text, good } = STATES[state];
  const model = models.map(({ name, version }) => `${name} ${version}`).join(', ');
  return html`<header>
<h1>${job} <span class="chip${good ? '' : ' warning'}">${text}</span></h1>
<p class="faint">${[source && `from ${redactUrls(source)}`, model && `model ${model}`].filter(Boolean).join(' · ')}</p>
${figures(summary)}
</header>`;
}

function sectionsOf({ summary, timeline, gallery }: ReportContent): Html[] {
  const { labels, scoreHistogram, errorCodes, hosts, otherHosts } = summary;
  const classified = summary.images.classified;
  const codes = Object.entries(errorCodes);
  const charted =
    labels.length > CHARTED_LABELS ? `The ${CHARTED_LABELS} most frequent of ${count(labels.length)} labels` : 'Labels';
  const shown = hosts.slice(0, HOST_ROWS);
  const unshown = hosts.length - shown.length + otherHosts.hosts;
  return [
    ...(labels.length > 0
      ? [
          chart(
            'labels',
            charted,
            ['label', 'images', 'share', 'mean score'],
            labels
              .slice(0, TABLE_ROWS)
              .map(({ label, images, meanScore }) => [
                label,
                count(images),
                percent(images / classified),
                meanScore.toFixed(2),
              ]),
          ),
          chart(
            'scores',
            'Confidence: score of the best label',
            ['score', 'images', 'share'],
            scoreHistogram.map(({ from, to, images }) => [
              `${from.toFixed(2)} to ${to.toFixed(2)}`,
              count(images),
              percent(images / classified),
            ]),
          ),
        ]
      : []),
    ...(timeline.stretches.length > 0
      ? [
          chart(
            'timeline',
            `Images per ${span(timeline.stretchSeconds)}`,
            ['from', 'classified', 'failed'],
            timeline.stretches.map(({ at, classified: done, failed }) => [clockTime(at), count(done), count(failed)]),
            'wide',
          ),
        ]
      : []),
    ...(codes.length > 0
      ? [
          chart(
            'errors',
            'Failures by error code',
            ['code', 'images'],
            codes.map(([code, images]) => [code, count(images)]),
          ),
        ]
      : []),
    ...(shown.length > 0
      ? [
          html`<section><h2>Hosts${unshown > 0 ? ` (and ${count(unshown)} more)` : ''}</h2>${table(
            ['host', 'classified', 'failed'],
            shown.map(({ host, classified: done, failed }) => [host, count(done), count(failed)]),
          )}</section>`,
        ]
      : []),
    ...(gallery.length > 0 ? [gallerySection(gallery, summary)] : []),
  ];
}

/** The table comes first for those without JavaScript; the script folds it. */
function chart(id: string, title: string, head: readonly string[], rows: readonly string[][], width = ''): Html {
  return html`<section class="${width}"><h2>${title}</h2>
<div class="chart"><canvas id="${id}" role="img" aria-label="${title}; the table below has the numbers"></canvas></div>
<details class="charted" open><summary>As a table</summary>${table(head, rows)}</details></section>`;
}

/** The first column is text, the others are numbers. */
function table(head: readonly string[], rows: readonly string[][]): Html {
  const kind = (index: number) => (index === 0 ? '' : 'number');
  return html`<div class="scrollable" tabindex="0"><table>
<thead><tr>${head.map((text, index) => html`<th scope="col" class="${kind(index)}">${text}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((text, index) => html`<td class="${kind(index)}"><bdi>${text}</bdi></td>`)}</tr>\n`)}</tbody>
</table></div>`;
}

function gallerySection(gallery: readonly Shelf[], { labels }: Summary): Html {
  const numbers = new Map(labels.map(({ label, images }) => [label, images]));
  return html`<section class="wide"><h2>The surest images of each label</h2>
<div class="shelves">${gallery.map(
    ({
      label,
      thumbnails,
    }) => html`<div class="shelf"><h3><bdi>${label}</bdi> <span>${count(numbers.get(label) ?? 0)}</span></h3><div>
${thumbnails.map(({ id, score, source }) => {
  const name = redactUrls(id);
  return html`<figure><img src="${source}" alt="${label}" width="240" height="240" loading="lazy">
<figcaption title="${name}"><b>${score.toFixed(2)}</b> <bdi>${lastPart(name)}</bdi></figcaption></figure>\n`;
})}</div></div>\n`,
  )}</div></section>`;
}

function chartData({ summary, timeline }: ReportContent) {
  const labels = summary.labels.slice(0, CHARTED_LABELS);
  const codes = Object.entries(summary.errorCodes);
  const { stretches } = timeline;
  const oneDay = new Set(stretches.map(({ at }) => at.slice(0, 10))).size <= 1;
  return {
    labels: { names: labels.map(({ label }) => plain(label)), values: labels.map(({ images }) => images) },
    errors: { names: codes.map(([code]) => code), values: codes.map(([, images]) => images) },
    scores: {
      names: summary.scoreHistogram.map(({ from }) => from.toFixed(2)),
      values: summary.scoreHistogram.map(({ images }) => images),
    },
    timeline: {
      names: stretches.map(({ at }) => (oneDay ? at.slice(11, 19) : `${at.slice(5, 10)} ${at.slice(11, 16)}`)),
      classified: stretches.map(({ classified }) => classified),
      failed: stretches.map(({ failed }) => failed),
    },
  };
}
