// @ts-check
import { Modal } from './modal.js';
import { otherRange, rangeOf, showRange } from './range-control.js';
import { currentRoute, goTo } from './router.js';
import { h } from './vendor/preact.js';

/** @import { View } from './router.js' */

/** Rows that `j` and `k` move through: links or focusable items. */
const ROWS = '[data-row]';

/** @type {ReadonlyMap<string, View>} */
const VIEW_KEYS = new Map([
  ['o', 'overview'],
  ['j', 'jobs'],
  ['d', 'dead-letters'],
  ['h', 'health'],
]);

/** Maximum time between the two keys of a sequence. */
const SECOND_KEY_MS = 1_500;

const KEYS = [
  ['/', 'filter'],
  ['j  k', 'next and previous row'],
  ['Enter', 'open the row'],
  ['[  ]', 'shorter or longer time range'],
  ['g o', 'overview'],
  ['g j', 'jobs'],
  ['g d', 'dead letters'],
  ['g h', 'health'],
  ['Esc', 'leave the filter, close a dialog'],
  ['?', 'show these keys'],
];

/** @param {() => void} onHelp */
export function listenToKeys(onHelp) {
  let lastG = Number.NEGATIVE_INFINITY;
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === 'Escape') return leaveField();
    if (isTyping(event) || document.querySelector('dialog[open]') !== null) return;
    const isSecond = event.timeStamp - lastG < SECOND_KEY_MS;
    lastG = event.key === 'g' && !isSecond ? event.timeStamp : Number.NEGATIVE_INFINITY;
    if (act(event.key, isSecond, onHelp)) event.preventDefault();
  });
}

/**
 * @param {string} key
 * @param {boolean} isSecond after `g`
 * @param {() => void} onHelp
 * @returns {boolean} whether the key was handled
 */
function act(key, isSecond, onHelp) {
  if (isSecond) return goByKey(key);
  switch (key) {
    case '/':
      return focusFilter();
    case 'j':
      return moveRow(1);
    case 'k':
      return moveRow(-1);
    case '[':
    case ']':
      showRange(otherRange(rangeOf(currentRoute().query['range']), key === ']' ? 1 : -1));
      return true;
    case '?':
      onHelp();
      return true;
    default:
      return false;
  }
}

/** @param {string} key */
function goByKey(key) {
  const view = VIEW_KEYS.get(key);
  if (view !== undefined) goTo(view);
  return view !== undefined;
}

function focusFilter() {
  /** @type {HTMLInputElement | null} */
  const field = document.querySelector('input[type=search]');
  field?.focus();
  field?.select();
  return field !== null;
}

/** @param {number} step */
function moveRow(step) {
  /** @type {HTMLElement[]} */
  const rows = [...document.querySelectorAll(ROWS)].filter((row) => row instanceof HTMLElement);
  const place = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const next = rows[place === -1 ? (step > 0 ? 0 : rows.length - 1) : place + step];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

/** @param {KeyboardEvent} event */
function isTyping({ target }) {
  return target instanceof HTMLElement && target.matches('input, select, textarea');
}

function leaveField() {
  if (document.activeElement instanceof HTMLElement && document.activeElement.matches('input, select')) {
    document.activeElement.blur();
  }
}

/** @param {{ onClose: () => void }} props */
export function KeysDialog({ onClose }) {
  return h(
    Modal,
    { title: 'Keys', onClose },
    h(
      'dl',
      { class: 'keys' },
      KEYS.map(([keys = '', meaning]) =>
        h(
          'div',
          { key: keys },
          h(
            'dt',
            {},
            keys.split(/ +/).map((key) => h('kbd', { key }, key)),
          ),
          h('dd', {}, meaning),
        ),
      ),
    ),
    h('div', { class: 'dialog-buttons' }, h('button', { type: 'button', onClick: onClose }, 'Close')),
  );
}
