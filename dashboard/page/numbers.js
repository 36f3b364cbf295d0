// @ts-check Number formats of the dashboard and of reports.

const INTEGER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const BYTES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
/** @type {readonly (readonly [name: string, seconds: number])[]} */
const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
];

/** ViewProps for an unknown number. */
export const UNKNOWN = '–';

/**
 * A formatted number, or `UNKNOWN`.
 *
 * @param {number | null | undefined} value
 * @param {(value: number) => string} text
 */
export function known(value, text) {
  return value === null || value === undefined ? UNKNOWN : text(value);
}

/**
 * E.g. `1,234,567`.
 *
 * @param {number} value
 */
export function count(value) {
  return INTEGER.format(value);
}

/**
 * E.g. `1 image`, `1,204 messages`.
 *
 * @param {number} value
 * @param {string} noun of one
 */
export function counted(value, noun) {
  return `${count(value)} ${value === 1 ? noun : `${noun}s`}`;
}

/** @param {number} share 0 to 1; above 0 never shows as 0 % */
export function percent(share) {
  if (share > 0 && share < 0.001) return '<0.1 %';
  return `${(share * 100).toFixed(1)} %`;
}

/**
 * E.g. `3.2 GB`.
 *
 * @param {number} bytes
 */
export function byteSize(bytes) {
  const power = bytes < 1 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${BYTES[power]}`;
}

/**
 * E.g. `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`: the two largest units.
 *
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  /** @type {string[]} */
  const parts = [];
  let rest = Math.round(seconds);
  for (const [name, size] of UNITS) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole} ${name}`);
  }
  return parts.slice(0, 2).join(' ');
}

/**
 * A duration without fractions of a second, for values that update live.
 *
 * @param {number} seconds
 */
export function formatWholeSeconds(seconds) {
  return formatDuration(Math.round(seconds));
}

/**
 * E.g. `12 ms`, `1.4 s`: for durations of single steps.
 *
 * @param {number} milliseconds
 */
export function formatMilliseconds(milliseconds) {
  return milliseconds < 1_000
    ? `${Math.round(milliseconds)} ms`
    : formatDuration(Number((milliseconds / 1_000).toPrecision(2)));
}

/**
 * A rate with few significant digits, e.g. `0.4`, `12.5`, `1,204`.
 *
 * @param {number} perSecond
 */
export function rate(perSecond) {
  if (perSecond === 0) return '0';
  if (perSecond < 0.05) return '<0.1';
  return perSecond < 100 ? perSecond.toFixed(1) : count(perSecond);
}

/**
 * Small amounts keep more digits.
 *
 * @param {number} usd
 */
export function dollars(usd) {
  if (usd === 0) return '$0';
  return usd >= 10 ? `$${count(usd)}` : `$${usd.toFixed(usd >= 0.1 ? 2 : 4)}`;
}

/** @param {string} iso e.g. `2026-11-24T10:00:00.000Z` */
export function clockTime(iso) {
  return iso.slice(0, 19).replace('T', ' ');
}
