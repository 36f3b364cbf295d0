// @ts-check

/** @import { EpochMs } from '../contract/units.ts' */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Round steps of a clock. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((step) => step * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((step) => step * MINUTE),
  ...[1, 2, 3, 6, 12].map((step) => step * HOUR),
  ...[1, 2, 7, 14, 30].map((step) => step * DAY),
];

/**
 * Axis labels of a time axis: round times in the viewer's time zone.
 *
 * @param {EpochMs} from
 * @param {EpochMs} to
 * @param {number} most
 * @returns {EpochMs[]}
 */
export function roundTimes(from, to, most) {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? (to - from) / most;
  const shift = new Date(from).getTimezoneOffset() * MINUTE;
  const first = Math.ceil((from - shift) / step) * step + shift;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, index) => first + index * step);
}

/**
 * Axis labels of a duration axis: round durations.
 *
 * @param {number} longest in seconds
 * @param {number} most
 * @returns {number[]} in seconds
 */
export function roundDurations(longest, most) {
  const step = (STEPS.find((one) => (longest * SECOND) / one <= most) ?? (longest * SECOND) / most) / SECOND;
  return Array.from({ length: Math.ceil(longest / step) + 1 }, (_, index) => index * step);
}

/**
 * The text of an axis label: the day at midnight, seconds only if needed.
 *
 * @param {EpochMs} at
 * @param {number} bucketMs that the chart shows
 */
export function timeText(at, bucketMs) {
  const date = new Date(at);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (isMidnight && bucketMs > 12 * HOUR) return date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric' });
  return date.toLocaleTimeString('en-GB').slice(0, bucketMs < 5 * MINUTE ? 8 : 5);
}

/**
 * The time range of a bucket, e.g. `26 Nov, 10:15:00 to 10:15:10`.
 *
 * @param {EpochMs} at its beginning
 * @param {number} seconds
 */
export function bucketText(at, seconds) {
  const from = new Date(at);
  const to = new Date(at + seconds * SECOND);
  const digits = seconds < 60 ? 8 : 5;
  const day = from.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  const text = (/** @type {Date} */ date) => date.toLocaleTimeString('en-GB').slice(0, digits);
  return `${day}, ${text(from)} to ${text(to)}`;
}
