// @ts-check
import { h } from './vendor/preact.js';

/** @import { ComponentChildren } from './vendor/preact.js' */

/**
 * A section of a view, with a title and the unit of its values.
 *
 * @param {{ title: string, unit?: string, wide?: string, aside?: ComponentChildren, children?: ComponentChildren }}
 *   props
 */
export function Panel({ title, unit, wide = '', aside, children }) {
  const id = `panel-${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;
  return h(
    'section',
    { class: `panel ${wide}`, 'aria-labelledby': id },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', { id }, title, unit !== undefined && h('span', { class: 'unit' }, ` ${unit}`)),
      aside,
    ),
    children,
  );
}

/** @typedef {{ name: string, value: string, unit?: string, note?: string, tone?: string }} Figure */

/**
 * The key figures of a view. Their layout does not shift when values appear.
 *
 * @param {{ figures: readonly Figure[] }} props
 */
export function Figures({ figures }) {
  return h(
    'dl',
    { class: 'figures strip' },
    figures.map(({ name, value, unit, note, tone = '' }) =>
      h(
        'div',
        { key: name, class: tone },
        h('dt', {}, name),
        h(
          'dd',
          {},
          value,
          unit !== undefined && h('span', { class: 'of' }, ` ${unit}`),
          h('small', {}, note || '\u00a0'),
        ),
      ),
    ),
  );
}

/** @typedef {{ name: string, value: number, text: string, note?: string, href?: string }} Bar */

const BAR_WIDTH = 1_000;

/**
 * Names with bars; a table for screen readers. `most` is the value of a full bar, by default the largest one.
 *
 * @param {{ bars: readonly Bar[], tone?: string, nameOf: string, unit: string, most?: number }} props
 */
export function Bars({ bars, tone = 'good', nameOf, unit, most = Math.max(...bars.map(({ value }) => value)) }) {
  const full = Math.max(1, most);
  const head = h('tr', {}, h('th', { scope: 'col' }, nameOf), h('th', { scope: 'col' }, unit));
  return h(
    'table',
    { class: `bars ${tone}` },
    h('thead', { class: 'visually-hidden' }, head),
    h(
      'tbody',
      {},
      bars.map((bar) =>
        h('tr', { key: bar.name }, h('td', {}, nameAndBar(bar, full)), h('td', { class: 'number' }, bar.text)),
      ),
    ),
  );
}

/**
 * @param {Bar} bar
 * @param {number} most
 */
function nameAndBar({ name, value, note, href }, most) {
  return [
    h(
      'div',
      { class: 'bar-name', dir: 'auto' },
      href ? h('a', { href }, name) : name,
      note && [' ', h('bdi', { class: 'faint' }, note)],
    ),
    h(
      'svg',
      { viewBox: `0 0 ${BAR_WIDTH} 6`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      h('rect', { width: Math.max(4, Math.round((BAR_WIDTH * value) / most)), height: 6 }),
    ),
  ];
}

/**
 * A hint for an empty view.
 *
 * @param {{ title: string, children?: ComponentChildren }} props
 */
export function Empty({ title, children }) {
  return h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), children);
}

/** @param {{ text: string }} props */
export function Command({ text }) {
  return h('pre', { class: 'command', tabIndex: 0 }, h('code', {}, text));
}

/** A placeholder of the same height, so that the layout does not shift. */
export function Waiting() {
  return h('div', { class: 'waiting', 'aria-hidden': 'true' });
}
