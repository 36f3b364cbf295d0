// @ts-check
import { h } from './vendor/preact.js';

/** Outlines on a square of 16, drawn with lines of the text's colour. */
const PATHS = {
  check: 'M3 8.5l3.2 3.2L13 5',
  cross: 'M4 4l8 8M12 4l-8 8',
  play: 'M5.5 3.5v9l7-4.5z',
  pause: 'M5.5 4v8M10.5 4v8',
  alert: 'M8 2.2L14.5 13.5h-13zM8 6.5v3.2M8 11.7v.1',
  clock: 'M8 2a6 6 0 100 12A6 6 0 008 2zM8 5v3.2l2.2 1.4',
  stop: 'M4.5 4.5h7v7h-7z',
  question: 'M5.8 6a2.2 2.2 0 114 1.3c-.7.8-1.8 1-1.8 2.2M8 12v.1',
  retry: 'M13 8a5 5 0 11-1.5-3.6M13 2.5v2.8h-2.8',
  trash: 'M3 4.5h10M6.2 4.5V3h3.6v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5',
  picture: 'M2.5 3.5h11v9h-11zM2.5 10.5l3-3 3 3 2-2 3 3M10.5 6.2v.1',
  arrow: 'M6 3.5L10.5 8 6 12.5',
  down: 'M8 3v8M4.5 7.8L8 11.3l3.5-3.5M3 13.3h10',
  lock: 'M4 7.5h8v6H4zM5.7 7.5V5.3a2.3 2.3 0 014.6 0v2.2',
  copy: 'M5.5 5.5h7v7h-7zM3.5 10.5v-7h7',
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * Hidden from screen readers: its meaning is in the text beside it.
 *
 * @param {{ name: IconName }} props
 */
export function Icon({ name }) {
  return h('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, h('path', { d: PATHS[name] }));
}
