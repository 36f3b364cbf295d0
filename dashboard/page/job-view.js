// @ts-check
import { Gallery } from './gallery.js';
import { Icon } from './icons.js';
import { JobActions } from './job-actions.js';
import { leftText, settledOf, settledText } from './jobs-table.js';
import { count, counted, dollars, percent, rate, UNKNOWN, wholeSpan } from './numbers.js';
import { Bars, Command, Empty, Figures, Panel, Waiting } from './panels.js';
import { plain } from './plain-text.js';
import { ProgressBar } from './progress-bar.js';
import { linkTo } from './router.js';
import { StagesPanel } from './stages-panel.js';
import { StateChip } from './state-chip.js';
import { TimeChart } from './time-chart.js';
import { Ago } from './times.js';
import { h } from './vendor/preact.js';

/** @import { JobContent, JobDetail, JobHost, JobRow } from '../contract.ts' */
/** @import { Figure } from './panels.js' */
/** @import { Shown } from './overview.js' */

const BARS_SHOWN = 12;
const HOSTS_SHOWN = 15;

/** @param {Shown & { detail: JobDetail | undefined, isMissing: boolean }} props */
export function JobView({ route: { job = '', query }, snapshot, session, now, detail, isMissing }) {
  // The table knows most of it at once; the rest follows.
  const row = snapshot?.jobs.find((one) => one.job === job) ?? detail;
  if (isMissing && row === undefined) return h(MissingJob, { job });
  return [
    h(
      'div',
      { class: 'view-head job-head' },
      h(
        'div',
        {},
        h('p', { class: 'crumb' }, h('a', { href: linkTo('jobs') }, 'Jobs'), h(Icon, { name: 'arrow' })),
        h('h1', { tabIndex: -1 }, h('bdi', {}, plain(job))),
        row && h(StateChip, { of: row }),
      ),
      detail && session?.allowsChanges && h(JobActions, { detail: { ...detail, ...row }, session }),
    ),
    row && h(Facts, { row, detail, now }),
    row ? h(ProgressBar, { of: row }) : h(Waiting, {}),
    h(Figures, { figures: row ? figuresOf(row, detail) : [] }),
    h(
      'div',
      { class: 'grid' },
      h(SpeedPanel, { detail }),
      h(CodesPanel, { row }),
      h(SettledPanel, { detail }),
      h(LabelsPanel, { content: detail?.content }),
      h(
        Panel,
        { title: 'Pictures', unit: 'the surest first', wide: 'twelve' },
        row &&
          h(Gallery, {
            job,
            label: query['label'] ?? '',
            content: detail?.content ?? null,
            settledImages: settledOf(row),
          }),
      ),
      h(HostsPanel, { content: detail?.content }),
      h(WorkPanel, { detail }),
      h(StagesPanel, { stages: snapshot?.stages, unit: 'by stage, of all jobs', wide: 'five' }),
      detail && h(LinksPanel, { detail }),
    ),
  ];
}

/** @param {{ job: string }} props */
function MissingJob({ job }) {
  return h(
    'section',
    { class: 'panel' },
    h('h1', { tabIndex: -1 }, h('bdi', {}, plain(job))),
    h(
      Empty,
      { title: 'There is no job of this name.' },
      h('p', {}, 'It was purged, or never enqueued here. To enqueue one:'),
      h(Command, { text: 'bin/labelqueue enqueue urls.csv --job cats' }),
      h('p', {}, h('a', { href: linkTo('jobs') }, 'All jobs')),
    ),
  );
}

/** @param {{ row: JobRow, detail: JobDetail | undefined, now: number }} props */
function Facts({ row: { source, run, startedAt, lastOutcomeAt }, detail, now }) {
  const models = detail?.content?.models.map(({ name, version }) => `${name} ${version}`).join(', ');
  return h(
    'ul',
    { class: 'facts' },
    source !== null && h('li', {}, 'from ', h('b', {}, h('bdi', {}, plain(source)))),
    startedAt !== null && h('li', {}, 'started ', h(Ago, { at: startedAt, now })),
    lastOutcomeAt !== null && h('li', {}, 'last outcome ', h(Ago, { at: lastOutcomeAt, now })),
    detail?.imagesPerMessage != null && h('li', {}, `${counted(detail.imagesPerMessage, 'image')} per message`),
    models && h('li', {}, 'model ', h('bdi', {}, plain(models))),
    run !== null && h('li', {}, 'run ', h('code', {}, run)),
    detail?.maxFailureRate != null && h('li', {}, `ends at ${percent(detail.maxFailureRate)} failed`),
    detail?.maxCostUsd != null && h('li', {}, `ends at ${dollars(detail.maxCostUsd)}`),
  );
}

/**
 * @param {JobRow} row
 * @param {JobDetail | undefined} detail
 * @returns {Figure[]}
 */
function figuresOf(row, detail) {
  const { classifiedImages, failedImages, toGoImages, hasEnded, costSoFarUsd, countsAreEstimates } = row;
  const settled = settledOf(row);
  const about = countsAreEstimates ? 'about ' : '';
  const perThousand = detail?.costPer1000ImagesUsd;
  return [
    { name: 'Classified', value: about + count(classifiedImages), unit: 'images', note: settledText(row) },
    {
      name: 'Failed',
      value: about + count(failedImages),
      unit: 'images',
      note: settled === 0 ? '' : `${percent(failedImages / settled)} of what is done`,
      tone: failedImages > 0 ? 'bad' : '',
    },
    {
      name: 'Remaining',
      value: toGoImages === null ? UNKNOWN : about + count(toGoImages),
      unit: 'images',
      note: toGoNote(row),
    },
    ...(hasEnded ? paceOfEnded(row) : paceOfRunning(row)),
    {
      name: 'Cost so far',
      value: dollars(costSoFarUsd),
      note: perThousand == null ? '' : `${dollars(perThousand)} per 1,000 images`,
    },
  ];
}

/**
 * @param {JobRow} row
 * @returns {Figure[]}
 */
function paceOfRunning(row) {
  return [
    { name: 'Speed', value: rate(row.imagesPerSecond), unit: 'images/s', note: 'over the last minute' },
    { name: 'Time left', value: leftText(row), note: 'retries counted' },
  ];
}

/**
 * @param {JobRow} row
 * @returns {Figure[]}
 */
function paceOfEnded(row) {
  const { startedAt, lastOutcomeAt } = row;
  const seconds = startedAt === null || lastOutcomeAt === null ? 0 : Math.max(1, (lastOutcomeAt - startedAt) / 1_000);
  const speed = seconds === 0 ? UNKNOWN : rate(settledOf(row) / seconds);
  return [
    { name: 'Speed', value: speed, unit: 'images/s', note: 'mean of all its time' },
    { name: 'Took', value: seconds === 0 ? UNKNOWN : wholeSpan(seconds), note: 'from its start to its last outcome' },
  ];
}

/** @param {JobRow} row */
function toGoNote({ state, waitsForRetries }) {
  if (state === 'cancelled') return 'they stay without an outcome';
  return waitsForRetries ? 'all wait for a retry' : '';
}

/** @param {{ detail: JobDetail | undefined }} props */
function SpeedPanel({ detail }) {
  const series = detail && [
    { name: 'classified', values: detail.series.classifiedImagesPerSecond, tone: 'good', stack: 'all' },
    { name: 'failed', values: detail.series.failedImagesPerSecond, tone: 'bad', stack: 'all' },
  ];
  const text = (/** @type {number} */ value) => `${rate(value)} images/s`;
  return h(
    Panel,
    { title: 'Speed', unit: 'images per second', wide: 'seven' },
    detail === undefined || series === undefined
      ? h(Waiting, {})
      : h(TimeChart, {
          label: 'Images per second, from the first to the last outcome',
          at: detail.series.bucketAt,
          bucketSeconds: detail.series.bucketSeconds,
          series,
          text,
        }),
  );
}

/** @param {{ detail: JobDetail | undefined }} props */
function SettledPanel({ detail }) {
  const text = (/** @type {number} */ value) => counted(value, 'image');
  return h(
    Panel,
    { title: 'Progress', unit: 'images with an outcome', wide: 'seven' },
    detail === undefined
      ? h(Waiting, {})
      : h(TimeChart, {
          label: 'Images with an outcome over time',
          at: detail.series.bucketAt,
          bucketSeconds: detail.series.bucketSeconds,
          series: [{ name: 'with an outcome', values: detail.series.settledImages, tone: 'calm' }],
          text,
          isWhole: true,
        }),
  );
}

/** @param {{ row: JobRow | undefined }} props */
function CodesPanel({ row }) {
  const codes = row?.failedImagesByCode ?? [];
  const job = row?.job ?? '';
  const bars = codes.map(({ code, images }) => ({
    name: code,
    value: images,
    text: `${count(images)} · ${percent(images / Math.max(1, row?.failedImages ?? 1))}`,
    href: linkTo('dead-letters', { job, code }),
  }));
  return h(
    Panel,
    { title: 'Failures by code', unit: 'images, share of failures', wide: 'five' },
    row === undefined && h(Waiting, {}),
    row !== undefined && bars.length === 0 && h(Empty, { title: 'No image of it failed.' }),
    bars.length > 0 && h(Bars, { bars, tone: 'bad', nameOf: 'code', unit: 'images' }),
  );
}

/** @param {{ content: JobContent | null | undefined }} props */
function LabelsPanel({ content }) {
  const bars = content?.labels.slice(0, BARS_SHOWN).map(({ label, images, meanScore }) => ({
    name: plain(label),
    value: images,
    text: count(images),
    note: `score ${meanScore.toFixed(2)}`,
  }));
  return h(
    Panel,
    { title: 'Labels', unit: content?.isSample ? 'images of a sample' : 'images', wide: 'five' },
    bars === undefined && h(Waiting, {}),
    bars?.length === 0 && h(Empty, { title: 'No image was classified yet.' }),
    bars !== undefined && bars.length > 0 && h(Bars, { bars, nameOf: 'best label', unit: 'images' }),
  );
}

/** @param {{ content: JobContent | null | undefined }} props */
function HostsPanel({ content }) {
  const hosts = content?.hosts.slice(0, HOSTS_SHOWN);
  return h(
    Panel,
    { title: 'Hosts', unit: 'the slowest first', wide: 'seven' },
    hosts === undefined && h(Waiting, {}),
    hosts?.length === 0 && h(Empty, { title: 'No host was asked yet.' }),
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
          column('attempts', 'per image, in the mean'),
          column('after', 'from the start of the job to the outcome, in the median'),
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
    cell(medianSecondsToOutcome === null ? UNKNOWN : wholeSpan(medianSecondsToOutcome)),
  );
}

/** @param {{ detail: JobDetail | undefined }} props */
function WorkPanel({ detail }) {
  const { workers, measuredShare } = detail?.computing ?? { workers: [], measuredShare: 0 };
  return h(
    Panel,
    { title: 'Work', unit: 'time of workers', wide: 'five' },
    detail === undefined && h(Waiting, {}),
    detail && workers.length === 0 && h(Empty, { title: 'No worker has measured its time yet.' }),
    h(
      'dl',
      { class: 'pairs' },
      workers.map(({ architecture, memoryMb, seconds }) => [
        h('dt', {}, `${architecture}, ${count(memoryMb)} MB`),
        h('dd', {}, wholeSpan(seconds)),
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
function LinksPanel({ detail: { links, job } }) {
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
