// @ts-check
import { CodesPanel } from './codes-panel.js';
import { Gallery } from './gallery.js';
import { Icon } from './icons.js';
import { JobActions } from './job-actions.js';
import { LabelsPanel, SettledPanel, SpeedPanel } from './job-charts.js';
import { HostsPanel } from './job-hosts.js';
import { LinksPanel, WorkPanel } from './job-work.js';
import { leftText, settledOf, settledText } from './jobs-table.js';
import { count, counted, dollars, formatWholeSeconds, percent, rate, UNKNOWN } from './numbers.js';
import { Command, Empty, Figures, Panel, Waiting } from './panels.js';
import { plain } from './plain-text.js';
import { ProgressBar } from './progress-bar.js';
import { linkTo } from './router.js';
import { StagesPanel } from './stages-panel.js';
import { StateChip } from './state-chip.js';
import { Ago } from './times.js';
import { h } from './vendor/preact.js';

/** @import { JobDetail, JobRow } from '../contract/jobs.ts' */
/** @import { Figure } from './panels.js' */
/** @import { ViewProps } from './overview.js' */

/** @param {ViewProps & { detail: JobDetail | undefined, isMissing: boolean }} props */
export function JobView({ route: { job = '', query }, snapshot, session, now, detail, isMissing }) {
  // The jobs table has most of it at once; the details follow.
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
      h(CodesPanel, { codes: row?.failedImagesByCode, job, none: 'No image of this job failed.' }),
      h(SettledPanel, { detail }),
      h(LabelsPanel, { content: detail?.content }),
      h(
        Panel,
        { title: 'Pictures', unit: 'most confident first', wide: 'twelve' },
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
      { title: 'There is no job with this name.' },
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
    detail?.maxFailureRate != null && h('li', {}, `limit: ${percent(detail.maxFailureRate)} failed`),
    detail?.maxCostUsd != null && h('li', {}, `limit: ${dollars(detail.maxCostUsd)}`),
  );
}

/**
 * @param {JobRow} row
 * @param {JobDetail | undefined} detail
 * @returns {Figure[]}
 */
function figuresOf(row, detail) {
  const { classifiedImages, failedImages, remainingImages, hasEnded, costSoFarUsd, countsAreEstimates } = row;
  const settled = settledOf(row);
  const about = countsAreEstimates ? 'about ' : '';
  const perThousand = detail?.costPer1000ImagesUsd;
  return [
    { name: 'Classified', value: about + count(classifiedImages), unit: 'images', note: settledText(row) },
    {
      name: 'Failed',
      value: about + count(failedImages),
      unit: 'images',
      note: settled === 0 ? '' : `${percent(failedImages / settled)} of outcomes`,
      tone: failedImages > 0 ? 'bad' : '',
    },
    {
      name: 'Remaining',
      value: remainingImages === null ? UNKNOWN : about + count(remainingImages),
      unit: 'images',
      note: remainingNote(row),
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
    { name: 'Time left', value: leftText(row), note: 'retries included' },
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
    { name: 'Speed', value: speed, unit: 'images/s', note: 'mean of the whole job' },
    { name: 'Duration', value: seconds === 0 ? UNKNOWN : formatWholeSeconds(seconds), note: 'start to last outcome' },
  ];
}

/** @param {JobRow} row */
function remainingNote({ state, waitsForRetries }) {
  if (state === 'cancelled') return 'they stay without an outcome';
  return waitsForRetries ? 'all waiting for a retry' : '';
}
