// @ts-check
import { Icon } from './icons.js';
import { settledOf } from './jobs-table.js';
import { machineName } from './machine-name.js';
import { count, formatWholeSeconds, percent, UNKNOWN } from './numbers.js';
import { Empty, Panel, Waiting } from './panels.js';
import { h } from './vendor/preact.js';

/** @import { JobDetail } from '../contract/jobs.ts' */

/** @param {{ detail: JobDetail | undefined }} props */
export function WorkPanel({ detail }) {
  const { workers, measuredShare } = detail?.computing ?? { workers: [], measuredShare: 0 };
  return h(
    Panel,
    { title: 'Work', unit: 'worker time', wide: 'five' },
    detail === undefined && h(Waiting, {}),
    detail && workers.length === 0 && h(Empty, { title: 'No worker has measured its time yet.' }),
    h(
      'dl',
      { class: 'pairs' },
      workers.map(({ seconds, ...machine }) => [
        h('dt', {}, machineName(machine)),
        h('dd', {}, formatWholeSeconds(seconds)),
      ]),
      detail &&
        workers.length > 0 && [
          h('dt', {}, 'per image'),
          h('dd', {}, perImage(detail)),
          h('dt', {}, 'measured'),
          h('dd', {}, `${percent(measuredShare)} of outcomes`),
        ],
      detail && [h('dt', {}, 'part files'), h('dd', {}, count(detail.partFiles))],
    ),
  );
}

/** @param {JobDetail} detail */
function perImage(detail) {
  const images = settledOf(detail) * detail.computing.measuredShare;
  const seconds = detail.computing.workers.reduce((sum, one) => sum + one.seconds, 0);
  return images < 1 ? UNKNOWN : `${Math.round((1_000 * seconds) / images)} ms`;
}

/** @param {{ detail: JobDetail }} props */
export function LinksPanel({ detail: { links, job } }) {
  const of = (/** @type {'results' | 'failures'} */ kind) => links.filter((link) => link.kind === kind);
  return h(
    Panel,
    { title: 'Files', unit: 'each image once', wide: 'seven' },
    h(
      'div',
      { class: 'downloads' },
      /** @type {const} */ (['results', 'failures']).map((kind) =>
        h(
          'p',
          { key: kind },
          h('span', { class: 'faint' }, kind),
          of(kind).map(({ format, href }) =>
            h(
              'a',
              { key: format, class: 'button', href, download: `${job}-${kind}.${format}` },
              h(Icon, { name: 'down' }),
              NAMES[format],
              h('span', { class: 'visually-hidden' }, ` of ${kind}`),
            ),
          ),
        ),
      ),
    ),
  );
}

const NAMES = { csv: 'CSV', jsonl: 'JSON lines', parquet: 'Parquet' };
