// @ts-check
import { counted, formatMilliseconds } from './numbers.js';
import { Empty, Panel, Waiting } from './panels.js';
import { h } from './vendor/preact.js';

/** @import { StageTime } from '../contract/queue.ts' */

/** @param {{ stages: readonly StageTime[] | undefined, unit?: string, wide?: string }} props */
export function StagesPanel({ stages, unit = 'by stage', wide = 'four' }) {
  return h(
    Panel,
    { title: 'Time per image', unit, wide },
    stages === undefined && h(Waiting, {}),
    stages?.length === 0 && h(Empty, { title: 'No image was measured in the last hour.' }),
    stages !== undefined && stages.length > 0 && h(StagesTable, { stages }),
  );
}

/** A logarithmic axis: a fetch takes a hundred times as long as an inference. */
const AXIS_MS = [1, 10, 100, 1_000, 10_000];

/** @param {{ stages: readonly StageTime[] }} props */
function StagesTable({ stages }) {
  const column = (/** @type {string} */ name) => h('th', { scope: 'col', class: 'number' }, name);
  return h(
    'table',
    { class: 'stages' },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'stage'), column('median'), column('95 %'), column('99 %'))),
    h(
      'tbody',
      {},
      stages.map((stage) => h(StageRow, { key: stage.stage, stage })),
    ),
  );
}

/** @param {{ stage: StageTime }} props */
function StageRow({ stage: { stage, p50Ms, p95Ms, p99Ms, measuredImages } }) {
  const value = (/** @type {number} */ milliseconds) => h('td', { class: 'number' }, formatMilliseconds(milliseconds));
  return h(
    'tr',
    { title: measuredImages === null ? undefined : `of ${counted(measuredImages, 'image')}` },
    h('th', { scope: 'row' }, stage, h(Spread, { from: p50Ms, middle: p95Ms, to: p99Ms })),
    value(p50Ms),
    value(p95Ms),
    value(p99Ms),
  );
}

/** @param {{ from: number, middle: number, to: number }} props */
function Spread({ from, middle, to }) {
  const place = (/** @type {number} */ milliseconds) =>
    Math.round((1_000 * Math.log10(Math.max(1, milliseconds))) / (AXIS_MS.length - 1));
  return h(
    'svg',
    { class: 'spread', viewBox: '0 0 1000 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    h('rect', { class: 'ground', width: 1_000, height: 2, y: 3 }),
    h('rect', { class: 'far', x: place(from), width: Math.max(6, place(to) - place(from)), height: 8 }),
    h('rect', { class: 'near', x: place(from), width: Math.max(6, place(middle) - place(from)), height: 8 }),
  );
}
