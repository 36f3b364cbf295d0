// @ts-check / <reference lib="dom" /> What charts of the dashboard and of reports look like. It imports nothing,
// because reports inline it.

/** @typedef {Record<string, unknown>} Options of Chart.js */

const NUMBERS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/**
 * A colour of `theme.css` in the current colour scheme.
 *
 * @param {string} name without its dashes
 */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/**
 * The axis of numbers, from 0.
 *
 * @param {Options} [more]
 */
export function countScale(more) {
  return {
    beginAtZero: true,
    border: { display: false },
    grid: { color: colour('line'), drawTicks: false },
    ticks: {
      maxTicksLimit: 6,
      padding: 8,
      callback: (/** @type {number} */ value) => NUMBERS.format(value),
    },
    ...more,
  };
}

/**
 * The axis of names or times.
 *
 * @param {Options} [more]
 */
export function nameScale(more) {
  return { border: { color: colour('line') }, grid: { display: false }, ...more };
}

/** A compact legend. */
export function smallLegend() {
  return { display: true, align: 'end', labels: { boxWidth: 12, boxHeight: 12 } };
}

/** The style of tooltips. */
function tooltipStyle() {
  return {
    backgroundColor: colour('card'),
    titleColor: colour('faint'),
    bodyColor: colour('text'),
    borderColor: colour('edge'),
    borderWidth: 1,
    padding: 10,
    cornerRadius: 8,
    boxPadding: 4,
    usePointStyle: true,
    titleFont: { weight: '500' },
  };
}

/**
 * Sets the defaults of all charts; call it again when the colour scheme changes.
 *
 * @param {any} chartLibrary the global `Chart`
 */
export function applyTheme(chartLibrary) {
  chartLibrary.defaults.color = colour('faint');
  chartLibrary.defaults.font.family = getComputedStyle(document.body).fontFamily;
  chartLibrary.defaults.font.size = 12;
  chartLibrary.defaults.animation = false;
  chartLibrary.defaults.maintainAspectRatio = false;
  Object.assign(chartLibrary.defaults.plugins.tooltip, tooltipStyle());
}

/**
 * @param {() => void} redraw called when the colour scheme of the system changes
 * @returns {() => void} ends that
 */
export function whenSchemeChanges(redraw) {
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', redraw);
  return () => scheme.removeEventListener('change', redraw);
}
