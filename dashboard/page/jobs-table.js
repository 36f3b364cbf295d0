// @ts-check
import { count, counted, dollars, formatWholeSeconds, rate, UNKNOWN } from './numbers.js';
import { plain } from './plain-text.js';
import { ProgressBar } from './progress-bar.js';
import { linkToJob } from './router.js';
import { StateChip } from './state-chip.js';
import { Ago } from './times.js';
import { h } from './vendor/preact.js';

/** @import { JobRow } from '../contract/jobs.ts' */

/** @typedef {{ id: string, title: string, isNumber?: boolean, isLong?: boolean, of: (row: JobRow) => string | number }} Column */

/**
 * `of` is the sort key; `isLong` columns are hidden on narrow screens.
 *
 * @type {readonly Column[]}
 */
export const COLUMNS = [
  { id: 'job', title: 'Job', of: ({ job }) => job.toLowerCase() },
  { id: 'state', title: 'State', of: ({ state }) => state },
  { id: 'progress', title: 'Progress', of: (row) => shareOf(row) },
  { id: 'images', title: 'Images', isNumber: true, isLong: true, of: (row) => row.enqueuedImages ?? settledOf(row) },
  { id: 'rate', title: 'Images/s', isNumber: true, of: ({ imagesPerSecond }) => imagesPerSecond },
  { id: 'left', title: 'Time left', isNumber: true, of: ({ secondsLeft }) => secondsLeft ?? Number.POSITIVE_INFINITY },
  { id: 'failed', title: 'Failed images', isNumber: true, of: ({ failedImages }) => failedImages },
  { id: 'cost', title: 'Cost', isNumber: true, isLong: true, of: ({ costSoFarUsd }) => costSoFarUsd },
  {
    id: 'active',
    title: 'Last outcome',
    isNumber: true,
    isLong: true,
    of: ({ lastOutcomeAt, startedAt }) => lastOutcomeAt ?? startedAt ?? 0,
  },
];

/** @typedef {{ column: string, isDescending: boolean }} Order */

/**
 * @typedef {object} Props
 * @property {readonly JobRow[]} jobs
 * @property {number} now
 * @property {boolean} [isShort] without the columns that need much room
 * @property {Order} [order] that they are in
 * @property {(column: string) => void} [onSort]
 */

/** @param {Props} props */
export function JobsTable({ jobs, now, isShort = false, order, onSort }) {
  const columns = COLUMNS.filter(({ isLong }) => !isShort || !isLong);
  return h(
    'table',
    { class: `jobs ${isShort ? 'short' : ''}` },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        columns.map((column) => h(ColumnHead, { key: column.id, column, order, onSort })),
      ),
    ),
    h(
      'tbody',
      {},
      jobs.map((row) => h(JobsRow, { key: row.job, row, now, isShort })),
    ),
  );
}

/** @param {{ column: Column, order: Order | undefined, onSort: ((column: string) => void) | undefined }} props */
function ColumnHead({ column: { id, title, isNumber }, order, onSort }) {
  const isOrder = order?.column === id;
  const direction = order?.isDescending ? 'descending' : 'ascending';
  return h(
    'th',
    { scope: 'col', class: `of-${id}${isNumber ? ' number' : ''}`, 'aria-sort': isOrder ? direction : undefined },
    onSort === undefined
      ? title
      : h(
          'button',
          { type: 'button', class: 'sort', onClick: () => onSort(id) },
          title,
          h('span', { class: 'arrow', 'aria-hidden': 'true' }, isOrder ? (order.isDescending ? '↓' : '↑') : ''),
        ),
  );
}

/** @param {{ row: JobRow, now: number, isShort: boolean }} props */
function JobsRow({ row, now, isShort }) {
  const { job, source, imagesPerSecond, costSoFarUsd, lastOutcomeAt, startedAt } = row;
  const at = lastOutcomeAt ?? startedAt;
  return h(
    'tr',
    {},
    h(
      'th',
      { scope: 'row', class: 'of-job' },
      h('a', { href: linkToJob(job), 'data-row': '', dir: 'auto' }, plain(job)),
      !isShort &&
        source !== null &&
        h('span', { class: 'faint source', title: plain(source), dir: 'auto' }, plain(source)),
    ),
    h('td', { class: 'of-state' }, h(StateChip, { of: row })),
    h('td', { class: 'progress-cell' }, h(ProgressBar, { of: row })),
    !isShort && h('td', { class: 'number images', 'data-title': 'images' }, imagesText(row)),
    h('td', { class: 'number rate', 'data-title': 'images/s' }, row.hasEnded ? UNKNOWN : rate(imagesPerSecond)),
    h('td', { class: 'number left', 'data-title': 'left' }, leftText(row)),
    h('td', { class: 'number failures', 'data-title': 'failed images' }, h(FailedCell, { row })),
    !isShort && h('td', { class: 'number cost', 'data-title': 'cost' }, dollars(costSoFarUsd)),
    !isShort &&
      h('td', { class: 'number active', 'data-title': 'last outcome' }, at === null ? UNKNOWN : h(Ago, { at, now })),
  );
}

/** @param {{ row: JobRow }} props */
function FailedCell({ row: { failedImages, failedImagesByCode } }) {
  if (failedImages === 0) return h('span', { class: 'faint' }, '0');
  const [first, ...others] = failedImagesByCode;
  const all = failedImagesByCode.map(({ code, images }) => `${code}: ${count(images)}`).join('\n');
  return h(
    'span',
    { title: all },
    h('b', { class: 'bad-text' }, count(failedImages)),
    first && h('span', { class: 'faint code-note' }, first.code, others.length > 0 && ` +${others.length}`),
  );
}

/** @param {JobRow} row */
export function leftText({ hasEnded, secondsLeft, remainingImages, waitsForRetries }) {
  if (hasEnded || remainingImages === 0) return UNKNOWN;
  if (secondsLeft === null) return waitsForRetries ? 'retrying' : UNKNOWN;
  return formatWholeSeconds(secondsLeft);
}

/** @param {JobRow} row */
function imagesText(row) {
  const text = count(row.enqueuedImages ?? settledOf(row));
  return row.countsAreEstimates ? `about ${text}` : text;
}

/** @param {JobRow} row */
export function settledOf({ classifiedImages, failedImages }) {
  return classifiedImages + failedImages;
}

/** @param {JobRow} row */
function shareOf(row) {
  return row.enqueuedImages ? settledOf(row) / row.enqueuedImages : -1;
}

/** @param {JobRow} row */
export function settledText(row) {
  const all = row.enqueuedImages;
  return all === null ? counted(settledOf(row), 'image') : `${count(settledOf(row))} of ${counted(all, 'image')}`;
}
