// @ts-check
import { applyTheme, colour, countScale, nameScale } from './chart-theme.js';
import { formatDuration } from './numbers.js';
import { bucketText, roundDurations, roundTimes, timeText } from './time-axis.js';

/** @import { EpochMs } from '../contract/units.ts' */

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {readonly (number | null)[]} values one per bucket; null where unknown, which leaves a gap
 * @property {string} tone a colour of `theme.css`
 * @property {string} [now] its figure of this moment, for the legend
 * @property {'line' | 'dashed' | 'area'} [as] `area` by default
 * @property {string} [stack] those of the same name stand on each other
 */

/**
 * @typedef {object} Props
 * @property {string} label what is drawn, for those who do not see it
 * @property {readonly EpochMs[]} at the beginnings of the buckets
 * @property {number} bucketSeconds
 * @property {readonly Series[]} series
 * @property {(value: number) => string} text a value with its unit
 * @property {boolean} [isSpan] the values are seconds, to be written as spans
 * @property {number} [least] the axis reaches at least so far
 * @property {number} [most] the axis ends there, whatever the values are
 * @property {boolean} [isWhole] the values are whole numbers
 * @property {string} [size] a class, for the height
 */

const TICK_PX = 84;

/**
 * @param {HTMLCanvasElement | null} canvas
 * @param {Props} props
 * @returns {any} undefined while the library is not there
 */
export function drawn(canvas, props) {
  const { Chart } = /** @type {any} */ (globalThis);
  if (canvas === null || Chart === undefined) return undefined;
  applyTheme(Chart);
  return new Chart(canvas, { type: 'line', ...configOf(props), plugins: [POINTER_LINE] });
}

/** @param {Props} props */
export function configOf(props) {
  const { at, bucketSeconds, series, text } = props;
  const bucketMs = at.length * bucketSeconds * 1_000;
  const from = at[0] ?? 0;
  const datasets = series.map((one, index) => datasetOf(one, index, props));
  return {
    data: { datasets },
    options: {
      parsing: false,
      normalized: true,
      interaction: { mode: 'index', intersect: false },
      layout: { padding: { top: 6, right: 4 } },
      scales: { x: timeScale(from, from + bucketMs), y: valueScale(props) },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: (/** @type {any[]} */ [item]) => (item ? bucketText(item.parsed.x, bucketSeconds) : ''),
            label: (/** @type {any} */ item) => ` ${item.dataset.label}: ${text(item.raw.y)}`,
            labelPointStyle: () => ({ pointStyle: 'rectRounded', rotation: 0 }),
          },
        },
      },
    },
  };
}

/**
 * @param {Series} series
 * @param {number} index
 * @param {Props} props
 */
function datasetOf({ name, values, tone, as = 'area', stack }, index, { at }) {
  const line = colour(tone);
  return {
    label: name,
    data: at.map((x, place) => ({ x, y: values[place] ?? null })),
    borderColor: line,
    backgroundColor: `${line}2e`,
    borderWidth: as === 'area' ? 1.5 : 2,
    borderDash: as === 'dashed' ? [5, 4] : [],
    pointRadius: 0,
    pointHitRadius: 0,
    pointHoverRadius: 3,
    pointHoverBackgroundColor: line,
    // A single value between gaps would be invisible.
    spanGaps: false,
    stack: stack ?? `own-${index}`,
    fill: as !== 'area' ? false : stack === undefined ? 'origin' : 'stack',
    tension: 0.25,
    cubicInterpolationMode: 'monotone',
  };
}

/**
 * @param {EpochMs} min
 * @param {EpochMs} max
 */
function timeScale(min, max) {
  return nameScale({
    type: 'linear',
    min,
    max,
    afterBuildTicks: (/** @type {any} */ axis) => {
      const most = Math.max(2, Math.floor(axis.width / TICK_PX));
      axis.ticks = roundTimes(min, max, most).map((value) => ({ value }));
    },
    ticks: {
      maxRotation: 0,
      autoSkip: false,
      includeBounds: false,
      callback: (/** @type {number} */ value) => timeText(value, max - min),
    },
  });
}

/** @param {Props} props */
function valueScale({ isSpan = false, least = 1, most, isWhole = false, series }) {
  const end = most === undefined ? { suggestedMax: least } : { max: roundUp(most) };
  const scale = countScale({ ...end, stacked: series.some(({ stack }) => stack !== undefined) });
  if (isSpan) return { ...scale, ...SPANS, ticks: { ...scale.ticks, callback: formatDuration } };
  return { ...scale, ticks: { ...scale.ticks, ...(isWhole && { precision: 0 }) } };
}

const LINES = 5;

/** @param {number} value the maximum; the axis ends at a grid line */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value / LINES));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one * LINES >= value) ?? value;
  return Math.ceil(value / step) * step;
}

const SPANS_SHOWN = 5;

const SPANS = {
  afterBuildTicks(/** @type {any} */ axis) {
    const spans = roundDurations(axis.max, SPANS_SHOWN);
    axis.ticks = spans.map((value) => ({ value }));
    axis.max = spans.at(-1);
  },
};

/** A vertical line at the time of the tooltip. */
const POINTER_LINE = {
  id: 'pointer-line',
  afterDatasetsDraw(/** @type {any} */ { ctx, tooltip, chartArea: { top, bottom } }) {
    const [active] = tooltip?.getActiveElements() ?? [];
    if (active === undefined) return;
    ctx.save();
    ctx.strokeStyle = colour('edge');
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(active.element.x, top);
    ctx.lineTo(active.element.x, bottom);
    ctx.stroke();
    ctx.restore();
  },
};
