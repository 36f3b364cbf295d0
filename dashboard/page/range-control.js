// @ts-check
import { refine } from './router.js';
import { h } from './vendor/preact.js';

/** @import { Range } from '../contract/units.ts' */

/** @type {readonly { range: Range, text: string, name: string }[]} */
export const RANGES = [
  { range: '15m', text: '15 min', name: 'the last 15 minutes' },
  { range: '1h', text: '1 h', name: 'the last hour' },
  { range: '6h', text: '6 h', name: 'the last 6 hours' },
  { range: '24h', text: '24 h', name: 'the last 24 hours' },
  { range: '7d', text: '7 d', name: 'the last 7 days' },
];

/** @type {Range} */
const DEFAULT_RANGE = '1h';

/**
 * @param {string | undefined} text of the address
 * @returns {Range}
 */
export function rangeOf(text) {
  return RANGES.find(({ range }) => range === text)?.range ?? DEFAULT_RANGE;
}

/** @param {Range} range */
export function showRange(range) {
  refine({ range: range === DEFAULT_RANGE ? '' : range });
}

/**
 * @param {Range} range
 * @param {number} steps to longer ones, or back
 */
export function otherRange(range, steps) {
  const place = RANGES.findIndex((one) => one.range === range) + steps;
  return RANGES[Math.min(RANGES.length - 1, Math.max(0, place))]?.range ?? range;
}

/** @param {{ range: Range }} props */
export function RangeControl({ range }) {
  return h(
    'div',
    { class: 'segments', role: 'group', 'aria-label': 'Time range of the charts' },
    RANGES.map((one) =>
      h(
        'button',
        {
          key: one.range,
          type: 'button',
          'aria-pressed': one.range === range ? 'true' : 'false',
          title: one.name,
          onClick: () => showRange(one.range),
        },
        one.text,
      ),
    ),
  );
}
