// @ts-check
import { COLUMNS, JobsTable } from './jobs-table.js';
import { count, counted } from './numbers.js';
import { Command, Empty, Waiting } from './panels.js';
import { refine } from './router.js';
import { h } from './vendor/preact.js';

/** @import { JobRow } from '../contract/jobs.ts' */
/** @import { Order } from './jobs-table.js' */
/** @import { ViewProps } from './overview.js' */

/** @type {readonly { id: string, text: string, has: (row: JobRow) => boolean }[]} */
const STATES = [
  { id: '', text: 'All', has: () => true },
  { id: 'running', text: 'Running', has: ({ hasEnded, state }) => !hasEnded && state !== 'failed while enqueuing' },
  {
    id: 'failed',
    text: 'With failures',
    has: ({ failedImages, state }) => failedImages > 0 || state === 'failed while enqueuing',
  },
  { id: 'completed', text: 'Completed', has: ({ state }) => state.startsWith('completed') },
  { id: 'cancelled', text: 'Cancelled', has: ({ state }) => state === 'cancelled' },
];

/** @type {Order} */
const DEFAULT_ORDER = { column: 'active', isDescending: true };

/** @param {ViewProps} shown */
export function JobsView({ route: { query }, snapshot, now }) {
  const { q = '', state = '' } = query;
  const order = orderOf(query['sort']);
  const found = snapshot?.jobs.filter((row) => fits(row, q));
  const jobs = found && sorted(found.filter(stateOf(state).has), order);
  const onSort = (/** @type {string} */ column) => refine({ sort: sortText(column, order) });
  return [
    h(
      'div',
      { class: 'view-head' },
      h('h1', { tabIndex: -1 }, 'Jobs'),
      jobs && h('p', { class: 'faint tally-text', role: 'status' }, counted(jobs.length, 'job')),
    ),
    h(JobsFilter, { q, state, found: found ?? [] }),
    h(
      'section',
      { class: 'panel flush', 'aria-label': 'Jobs' },
      jobs === undefined ? h(Waiting, {}) : jobs.length > 0 && h(JobsTable, { jobs, now, order, onSort }),
      jobs?.length === 0 && h(NoJobs, { isFiltered: (snapshot?.jobs.length ?? 0) > 0 }),
    ),
    snapshot !== undefined &&
      snapshot.moreJobs > 0 &&
      h(
        'p',
        { class: 'footnote' },
        `${counted(snapshot.moreJobs, 'job')} not shown: labelqueue status lists all jobs.`,
      ),
  ];
}

/** @param {{ q: string, state: string, found: readonly JobRow[] }} props */
function JobsFilter({ q, state, found }) {
  return h(
    'div',
    { class: 'filters', role: 'search' },
    h('input', {
      type: 'search',
      value: q,
      placeholder: 'Filter by job, source or error code',
      'aria-label': 'Filter by job, source or error code',
      onInput: (/** @type {Event} */ { currentTarget }) =>
        refine({ q: /** @type {HTMLInputElement} */ (currentTarget).value }),
    }),
    h(
      'div',
      { class: 'segments', role: 'group', 'aria-label': 'State' },
      STATES.map(({ id, text, has }) =>
        h(
          'button',
          {
            key: id,
            type: 'button',
            'aria-pressed': id === state ? 'true' : 'false',
            onClick: () => refine({ state: id }),
          },
          text,
          h('span', { class: 'tally' }, count(found.filter(has).length)),
        ),
      ),
    ),
  );
}

/** @param {{ isFiltered: boolean }} props */
function NoJobs({ isFiltered }) {
  if (isFiltered) {
    const onClick = () => refine({ q: '', state: '' });
    return h(Empty, { title: 'No job matches the filter.' }, h('button', { type: 'button', onClick }, 'Show all jobs'));
  }
  return h(
    Empty,
    { title: 'There are no jobs yet.' },
    h('p', {}, 'A job is a list of image URLs with a name:'),
    h(Command, { text: 'bin/labelqueue enqueue urls.csv --job cats' }),
  );
}

/** @param {string} id */
function stateOf(id) {
  return STATES.find((one) => one.id === id) ?? /** @type {typeof STATES[number]} */ (STATES[0]);
}

/**
 * @param {JobRow} row
 * @param {string} q
 */
function fits({ job, source, failedImagesByCode }, q) {
  const texts = [job, source ?? '', ...failedImagesByCode.map(({ code }) => code)];
  return texts.some((text) => text.toLowerCase().includes(q.trim().toLowerCase()));
}

/**
 * E.g. `-rate`: the fastest first.
 *
 * @param {string | undefined} text
 * @returns {Order}
 */
function orderOf(text) {
  const column = text?.replace(/^-/, '');
  if (!COLUMNS.some(({ id }) => id === column)) return DEFAULT_ORDER;
  return { column: column ?? '', isDescending: text?.startsWith('-') ?? false };
}

/**
 * Clicking a column again reverses its order; numbers start with the largest.
 *
 * @param {string} column
 * @param {Order} order
 */
function sortText(column, order) {
  const startsDescending = COLUMNS.find(({ id }) => id === column)?.isNumber ?? false;
  const isDescending = order.column === column ? !order.isDescending : startsDescending;
  return `${isDescending ? '-' : ''}${column}`;
}

/**
 * @param {readonly JobRow[]} jobs
 * @param {Order} order
 */
function sorted(jobs, { column, isDescending }) {
  const of = COLUMNS.find(({ id }) => id === column)?.of ?? (() => 0);
  const sign = isDescending ? -1 : 1;
  return jobs.toSorted((one, other) => sign * compared(of(one), of(other)));
}

/**
 * @param {string | number} one
 * @param {string | number} other
 */
function compared(one, other) {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
