// @ts-check
import { CodesPanel } from './codes-panel.js';
import { JobsTable } from './jobs-table.js';
import { count, counted, dollars, formatWholeSeconds, known, rate, UNKNOWN } from './numbers.js';
import { AgePanel, DepthPanel, RemainingPanel, ThroughputPanel } from './overview-charts.js';
import { Command, Empty, Figures, Panel, Waiting } from './panels.js';
import { RANGES, RangeControl, rangeOf } from './range-control.js';
import { linkTo } from './router.js';
import { StagesPanel } from './stages-panel.js';
import { h } from './vendor/preact.js';

/** @import { Snapshot } from '../contract/events.ts' */
/** @import { JobRow } from '../contract/jobs.ts' */
/** @import { History, QueueFigures } from '../contract/queue.ts' */
/** @import { Session } from '../contract/session.ts' */
/** @import { Figure } from './panels.js' */
/** @import { Route } from './router.js' */

/**
 * The props of each view.
 *
 * @typedef {{ route: Route, snapshot: Snapshot | undefined, history: History | undefined, session: Session |
 *   undefined, now: number }} ViewProps
 */

const RECENT_JOBS = 6;

/** @param {ViewProps} shown */
export function Overview({ route, snapshot, history, session, now }) {
  const range = rangeOf(route.query['range']);
  const isEmpty = snapshot !== undefined && snapshot.jobs.length === 0 && snapshot.connections.s3.state === 'connected';
  return [
    h('div', { class: 'view-head' }, h('h1', { tabIndex: -1 }, 'Overview'), h(RangeControl, { range })),
    isEmpty && h(NothingYet, {}),
    h(Figures, { figures: figuresOf(snapshot?.queue) }),
    h(
      'div',
      { class: 'grid' },
      h(DepthPanel, { queue: snapshot?.queue, history }),
      h(ThroughputPanel, { queue: snapshot?.queue, history }),
      h(JobsPanel, { jobs: snapshot?.jobs, now }),
      h(RecentCodesPanel, {
        history,
        range,
        mayRetry: session?.allowsChanges === true && (snapshot?.queue.deadMessages ?? 0) > 0,
      }),
      h(AgePanel, { queue: snapshot?.queue, history }),
      h(RemainingPanel, { queue: snapshot?.queue, history }),
      h(StagesPanel, { stages: snapshot?.stages }),
    ),
  ];
}

function NothingYet() {
  return h(
    'section',
    { class: 'panel' },
    h(
      Empty,
      { title: 'Nothing is on the queue yet.' },
      h('p', {}, 'Put the URLs of some images into a file, one per line, and send them:'),
      h(Command, { text: 'bin/labelqueue enqueue urls.txt --job my-first-job' }),
      h('p', {}, 'They show up here within two seconds.'),
    ),
  );
}

/**
 * @param {QueueFigures | undefined} queue
 * @returns {Figure[]}
 */
function figuresOf(queue) {
  return [
    {
      name: 'Remaining',
      value: known(queue?.remainingImages, count),
      unit: 'images',
      note: known(queue?.waitingMessages, (value) => `${counted(value, 'message')} waiting`),
    },
    { name: 'Time to drain', ...drainOf(queue) },
    {
      name: 'Oldest message',
      value: known(queue?.oldestMessageAgeSeconds, formatWholeSeconds),
      note: queue !== undefined && queue.oldestMessageAgeSeconds === null ? 'not reported by SQS' : 'age in the queue',
    },
    {
      name: 'Completed',
      value: known(queue?.completedImagesPerSecond, rate),
      unit: 'images/s',
      note: queue && `arrived: ${rate(queue.arrivedImagesPerSecond)} images/s`,
    },
    {
      name: 'Busy workers',
      value: known(queue?.busyWorkers, (value) => String(Number(value.toFixed(1)))),
      ...(queue?.workers != null && { unit: `of ${count(queue.workers)}` }),
      note: 'mean of the last minute',
    },
    {
      name: 'Cost so far',
      value: known(queue?.costSoFarUsd, dollars),
      note: queue && queue.costPerHourUsd !== null ? `${dollars(queue.costPerHourUsd)} per hour now` : undefined,
    },
  ].map(withoutUndefined);
}

/**
 * @param {{ name: string, value: string, unit?: string, note?: string | undefined }} figure
 * @returns {Figure}
 */
function withoutUndefined({ note, ...figure }) {
  return { ...figure, ...(note !== undefined && note !== UNKNOWN && { note }) };
}

/** @param {QueueFigures | undefined} queue */
function drainOf(queue) {
  if (queue === undefined) return { value: UNKNOWN };
  const { timeToDrainSeconds, completedImagesPerSecond, remainingImages } = queue;
  if (timeToDrainSeconds === 0 || remainingImages === 0) {
    return {
      value: 'drained',
      note: remainingImages === 0 ? 'no images remaining' : 'no messages remaining',
    };
  }
  if (timeToDrainSeconds === null) return { value: UNKNOWN, note: 'no images are being completed' };
  return { value: formatWholeSeconds(timeToDrainSeconds), note: `at ${rate(completedImagesPerSecond)} images/s` };
}

/** @param {{ jobs: readonly JobRow[] | undefined, now: number }} props */
function JobsPanel({ jobs, now }) {
  const aside = h('a', { href: linkTo('jobs') }, 'All jobs');
  const listed = jobs?.toSorted((one, other) => Number(one.hasEnded) - Number(other.hasEnded)).slice(0, RECENT_JOBS);
  return h(
    Panel,
    { title: 'Jobs', unit: 'running and recent', wide: 'seven', aside },
    listed === undefined && h(Waiting, {}),
    listed?.length === 0 && h(Empty, { title: 'There are no jobs yet.' }),
    listed !== undefined && listed.length > 0 && h(JobsTable, { jobs: listed, now, isShort: true }),
  );
}

/** @param {{ history: History | undefined, range: string, mayRetry: boolean }} props */
function RecentCodesPanel({ history, range, mayRetry }) {
  const period = RANGES.find((one) => one.range === range)?.name ?? '';
  const codes = history?.failedImagesByCode
    .map(({ code, images }) => ({ code, images: images.reduce((sum, one) => sum + one, 0) }))
    .filter(({ images }) => images > 0)
    .toSorted((one, other) => other.images - one.images);
  const aside = mayRetry && h('a', { href: linkTo('dead-letters', { ask: 'redrive' }) }, 'Retry all…');
  return h(CodesPanel, { codes, period, none: `No image failed in ${period}.`, aside });
}
