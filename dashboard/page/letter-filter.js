// @ts-check
import { count } from './numbers.js';
import { plain } from './plain-text.js';
import { refine } from './router.js';
import { h } from './vendor/preact.js';

/** @import { DeadLetterFilter, DeadLetters } from '../contract/dead-letters.ts' */

/** @param {{ filter: DeadLetterFilter, answer: DeadLetters | undefined }} props */
export function LetterFilter({ filter, answer }) {
  const chosenIn = (/** @type {Event} */ { currentTarget }) =>
    /** @type {HTMLInputElement | HTMLSelectElement} */ (currentTarget).value;
  return h(
    'div',
    { class: 'filters', role: 'search' },
    h('input', {
      type: 'search',
      value: filter.text ?? '',
      placeholder: 'Filter by id, URL or reason',
      'aria-label': 'Filter by id, URL or reason',
      onInput: (/** @type {Event} */ event) => refine({ q: chosenIn(event) }),
    }),
    /** @type {const} */ ([
      ['job', 'All jobs', answer?.jobs ?? []],
      ['code', 'All codes', answer?.codes ?? []],
      ['host', 'All hosts', answer?.hosts ?? []],
    ]).map(([name, all, options]) =>
      h(
        'select',
        {
          key: name,
          'aria-label': name,
          value: filter[name] ?? '',
          onChange: (/** @type {Event} */ event) => refine({ [name]: chosenIn(event) }),
        },
        h('option', { value: '' }, all),
        withChosen(options, filter[name]).map((option) =>
          h('option', { key: option.name, value: option.name }, `${plain(option.name)} (${count(option.messages)})`),
        ),
      ),
    ),
  );
}

/**
 * Adds the option from the address, even if no dead letter has it.
 *
 * @param {readonly { name: string, messages: number }[]} options
 * @param {string | undefined} chosen
 */
function withChosen(options, chosen) {
  const isThere = chosen === undefined || options.some(({ name }) => name === chosen);
  return isThere ? options : [...options, { name: chosen, messages: 0 }];
}

/**
 * @param {Readonly<Record<string, string>>} query of the address
 * @returns {DeadLetterFilter}
 */
export function filterOf({ q, job, code, host }) {
  const text = q?.trim();
  return { ...(job && { job }), ...(code && { code }), ...(host && { host }), ...(text && { text }) };
}

/** @param {DeadLetterFilter} filter */
export function queryOf({ job, code, host, text }) {
  return new URLSearchParams(
    Object.entries({ job, code, host, text }).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  ).toString();
}
