// @ts-check
import { applyTheme, colour, countScale, nameScale, whenSchemeChanges } from './chart-theme.js';
import { span, UNKNOWN } from './numbers.js';
import { bucketText, roundSpans, roundTimes, timeText } from './time-axis.js';
import { Component, createRef, h } from './vendor/preact.js';

/** @import { EpochMs } from '../contract.ts' */

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {readonly (number | null)[]} values one per bucket; null where it is not known, which leaves a gap
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
 * @property {boolean} [isWhole] there are no fractions of what is counted
 * @property {string} [size] a class, for the height
 */

const TICK_PX = 84;
const TABLE_ROWS = 300;

/**
 * Series over time, with a legend that has their figures and with a table of the same.
 *
 * @augments {Component<Props, { isTableOpen: boolean }>}
 */
export class TimeChart extends Component {
  /** @param {Props} props */
  constructor(props) {
    super(props);
    this.state = { isTableOpen: false };
    /** @type {import('./vendor/preact.js').RefObject<HTMLCanvasElement | null>} */
    this.canvas = createRef();
    /** @type {any} of Chart.js */
    this.chart = undefined;
    this.redraw = () => {
      this.chart?.destroy();
      this.chart = drawn(this.canvas.current, this.props);
    };
  }

  /** @override */
  componentDidMount() {
    this.redraw();
    this.stopListening = whenSchemeChanges(this.redraw);
  }

  /**
   * @override
   * @param {Props} before
   */
  componentDidUpdate(before) {
    if (this.chart === undefined) return this.redraw();
    if (hasSamePoints(before, this.props)) return;
    const { data, options } = configOf(this.props);
    // Lines that are there stay what they are; only their points are others.
    const drawnBefore = this.chart.data.datasets;
    this.chart.data.datasets = data.datasets.map((dataset, index) => Object.assign(drawnBefore[index] ?? {}, dataset));
    this.chart.options = options;
    this.chart.update('none');
  }

  /** @override */
  componentWillUnmount() {
    this.stopListening?.();
    this.chart?.destroy();
    this.chart = undefined;
  }

  /** @override */
  render() {
    const { label, series, size = '' } = this.props;
    const figures = series.flatMap(({ name, now }) => (now === undefined ? [] : [`${name} ${now}`]));
    const { isTableOpen } = this.state;
    const onToggle = (/** @type {Event} */ event) =>
      this.setState({ isTableOpen: /** @type {HTMLDetailsElement} */ (event.currentTarget).open });
    return h(
      'div',
      { class: 'time-chart' },
      series.length > 1 && h(Legend, { series }),
      h(
        'div',
        { class: `chart ${size}` },
        h('canvas', { ref: this.canvas, role: 'img', 'aria-label': [label, ...figures].join('. ') }),
      ),
      h(
        'details',
        { class: 'chart-table', onToggle },
        h('summary', {}, 'As a table'),
        isTableOpen && h(ChartTable, this.props),
      ),
    );
  }
}

/**
 * Figures in legends change more often than points.
 *
 * @param {Props} before
 * @param {Props} after
 */
function hasSamePoints(before, after) {
  if (before.at !== after.at || before.series.length !== after.series.length) return false;
  return after.series.every(({ values }, index) => values === before.series[index]?.values);
}

/** @param {{ series: readonly Series[] }} props */
function Legend({ series }) {
  return h(
    'ul',
    { class: 'legend' },
    series.map(({ name, tone, now, as = 'area' }) =>
      h(
        'li',
        { key: name },
        h('span', { class: `swatch ${tone} ${as}`, 'aria-hidden': 'true' }),
        h('span', { class: 'legend-name' }, name),
        now !== undefined && h('b', {}, now),
      ),
    ),
  );
}

/** @param {Props} props */
function ChartTable({ label, at, bucketSeconds, series, text }) {
  const rows = at.map((start, index) => ({ start, index })).slice(-TABLE_ROWS);
  return h(
    'div',
    { class: 'scrollable', tabIndex: 0, role: 'region', 'aria-label': `${label}: table` },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'time'),
          series.map(({ name }) => h('th', { scope: 'col', class: 'number' }, name)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.toReversed().map(({ start, index }) =>
          h(
            'tr',
            { key: start },
            h('td', {}, bucketText(start, bucketSeconds)),
            series.map(({ values }) => h('td', { class: 'number' }, valueText(values[index], text))),
          ),
        ),
      ),
    ),
  );
}

/**
 * @param {number | null | undefined} value
 * @param {(value: number) => string} text
 */
function valueText(value, text) {
  return value === null || value === undefined ? UNKNOWN : text(value);
}

/**
 * @param {HTMLCanvasElement | null} canvas
 * @param {Props} props
 * @returns {any} undefined while the library is not there
 */
function drawn(canvas, props) {
  const { Chart } = /** @type {any} */ (globalThis);
  if (canvas === null || Chart === undefined) return undefined;
  applyTheme(Chart);
  return new Chart(canvas, { type: 'line', ...configOf(props), plugins: [POINTER_LINE] });
}

/** @param {Props} props */
function configOf(props) {
  const { at, bucketSeconds, series, text } = props;
  const stretchMs = at.length * bucketSeconds * 1_000;
  const from = at[0] ?? 0;
  const datasets = series.map((one, index) => datasetOf(one, index, props));
  return {
    data: { datasets },
    options: {
      parsing: false,
      normalized: true,
      interaction: { mode: 'index', intersect: false },
      layout: { padding: { top: 6, right: 4 } },
      scales: { x: timeScale(from, from + stretchMs), y: valueScale(props) },
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
    // One value alone between gaps would not be seen.
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
  if (isSpan) return { ...scale, ...SPANS, ticks: { ...scale.ticks, callback: span } };
  return { ...scale, ticks: { ...scale.ticks, ...(isWhole && { precision: 0 }) } };
}

const LINES = 5;

/** @param {number} value so that the axis ends with one of its lines */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value / LINES));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one * LINES >= value) ?? value;
  return Math.ceil(value / step) * step;
}

const SPANS_SHOWN = 5;

const SPANS = {
  afterBuildTicks(/** @type {any} */ axis) {
    const spans = roundSpans(axis.max, SPANS_SHOWN);
    axis.ticks = spans.map((value) => ({ value }));
    axis.max = spans.at(-1);
  },
};

/** Shows which time the figures beside the pointer are of. */
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
