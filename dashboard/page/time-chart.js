// @ts-check
import { configOf, drawn } from './chart-config.js';
import { whenSchemeChanges } from './chart-theme.js';
import { UNKNOWN } from './numbers.js';
import { bucketText } from './time-axis.js';
import { Component, createRef, h } from './vendor/preact.js';

/** @import { Props, Series } from './chart-config.js' */

const TABLE_ROWS = 300;

/**
 * Series over time, with current values in the legend and a table of the data.
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
    this.fit();
    if (hasSamePoints(before, this.props)) return;
    const { data, options } = configOf(this.props);
    // Existing lines are kept; only their points are replaced.
    const drawnBefore = this.chart.data.datasets;
    this.chart.data.datasets = data.datasets.map((dataset, index) => Object.assign(drawnBefore[index] ?? {}, dataset));
    this.chart.options = options;
    this.chart.update('none');
  }

  /** Chart.js can miss that its panel has got its width, if the page has much to do when it opens. */
  fit() {
    const width = this.canvas.current?.parentElement?.clientWidth ?? 0;
    if (Math.abs(this.chart.width - width) > 1) this.chart.resize();
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
 * Values in legends change more often than points.
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
