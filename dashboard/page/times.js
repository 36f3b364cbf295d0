// @ts-check
import { formatDuration, formatWholeSeconds } from './numbers.js';
import { h } from './vendor/preact.js';

/** @import { EpochMs } from '../contract/units.ts' */

const JUST_NOW_SECONDS = 5;

/**
 * The time of day in the viewer's time zone, with the date if it is not today.
 *
 * @param {EpochMs} at
 */
export function clock(at) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = date.toLocaleTimeString('en-GB');
  return isToday ? time : `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${time.slice(0, 5)}`;
}

/**
 * E.g. `12 min ago`, in one unit: a second unit would change too often.
 *
 * @param {EpochMs} at
 * @param {EpochMs} now of the server
 */
export function ago(at, now) {
  const seconds = Math.max(0, (now - at) / 1_000);
  if (seconds < JUST_NOW_SECONDS) return 'just now';
  return `${oneUnit(seconds)} ago`;
}

/** @param {number} seconds */
function oneUnit(seconds) {
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5} s`;
  return formatDuration(seconds).split(' ').slice(0, 2).join(' ');
}

/** @param {{ at: EpochMs, now: EpochMs }} props */
export function Ago({ at, now }) {
  return h('time', { dateTime: new Date(at).toISOString(), title: new Date(at).toLocaleString('en-GB') }, ago(at, now));
}

/**
 * @param {EpochMs} at
 * @param {EpochMs} now
 */
export function sinceText(at, now) {
  return `since ${clock(at)} (${formatWholeSeconds(Math.max(0, (now - at) / 1_000))})`;
}
