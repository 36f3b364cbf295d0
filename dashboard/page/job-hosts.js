// @ts-check
import { count, counted, formatWholeSeconds, UNKNOWN } from './numbers.js';
import { Empty, Panel, Waiting } from './panels.js';
import { plain } from './plain-text.js';
import { h } from './vendor/preact.js';

/** @import { JobContent, JobHost } from '../contract/jobs.ts' */

const HOSTS_SHOWN = 15;

/** @param {{ content: JobContent | null | undefined }} props */
export function HostsPanel({ content }) {
  const hosts = content?.hosts.slice(0, HOSTS_SHOWN);
  return h(
    Panel,
    { title: 'Hosts', unit: 'the slowest first', wide: 'seven' },
    hosts === undefined && h(Waiting, {}),
    hosts?.length === 0 && h(Empty, { title: 'No host has been contacted yet.' }),
    hosts !== undefined && hosts.length > 0 && h(HostsTable, { hosts }),
    content &&
      content.hosts.length + content.moreHosts > HOSTS_SHOWN &&
      h(
        'p',
        { class: 'footnote' },
        `${counted(content.hosts.length + content.moreHosts - HOSTS_SHOWN, 'host')} more in labelqueue report.`,
      ),
  );
}

/** @param {{ hosts: readonly JobHost[] }} props */
function HostsTable({ hosts }) {
  const column = (/** @type {string} */ name, /** @type {string} */ title) =>
    h('th', { scope: 'col', class: 'number', title }, name);
  return h(
    'div',
    { class: 'scrollable', tabIndex: 0, role: 'region', 'aria-label': 'Hosts: table' },
    h(
      'table',
      { class: 'hosts' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'host'),
          column('classified', 'images'),
          column('failed', 'images'),
          column('silent', 'images that failed with timeout or connection_failed'),
          column('attempts', 'mean per image'),
          column('after', 'median time from the start of the job to the outcome'),
        ),
      ),
      h(
        'tbody',
        {},
        hosts.map((host) => h(HostRow, { key: host.host, host })),
      ),
    ),
  );
}

/** @param {{ host: JobHost }} props */
function HostRow({
  host: { host, classifiedImages, failedImages, silentImages, meanAttempts, medianSecondsToOutcome },
}) {
  const cell = (/** @type {string} */ text) => h('td', { class: 'number' }, text);
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, h('bdi', {}, plain(host))),
    cell(count(classifiedImages)),
    cell(count(failedImages)),
    cell(count(silentImages)),
    cell(meanAttempts.toFixed(1)),
    cell(medianSecondsToOutcome === null ? UNKNOWN : formatWholeSeconds(medianSecondsToOutcome)),
  );
}
