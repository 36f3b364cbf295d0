// @ts-check
import { JobsTable } from './jobs-table.js';
import { count, counted, dollars, percent, rate, UNKNOWN, wholeSpan } from './numbers.js';
import { Bars, Command, Empty, Figures, Panel, Waiting } from './panels.js';
import { RANGES, RangeControl, rangeOf } from './range-control.js';
import { linkTo } from './router.js';
import { StagesPanel } from './stages-panel.js';
import { TimeChart } from './time-chart.js';
import { h } from './vendor/preact.js';

/** @import { History, JobRow, QueueFigures, Session, Snapshot } from '../contract.ts' */
/** @import { Figure } from './panels.js' */
/** @import { Route } from './router.js' */

/**
 * What each view is given.
 *
 * @typedef {{ route: Route, snapshot: Snapshot | undefined, history: History | undefined, session: Session | undefined, now: number }} Shown
 */

const RECENT_JOBS = 6;

/** @param {Shown} shown */
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
      h(CodesPanel, {
        history,
        range,
        mayRetry: session?.allowsChanges === true && (snapshot?.queue.deadMessages ?? 0) > 0,
      }),
      h(AgePanel, { queue: snapshot?.queue, history }),
      h(ToGoPanel, { queue: snapshot?.queue, history }),
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
      value: known(queue?.toGoImages, count),
      unit: 'images',
      note: known(queue?.waitingMessages, (value) => `${counted(value, 'message')} waiting`),
    },
    { name: 'Time to drain', ...drainOf(queue) },
    {
      name: 'Oldest message',
      value: known(queue?.oldestMessageAgeSeconds, wholeSpan),
      note: queue !== undefined && queue.oldestMessageAgeSeconds === null ? 'SQS does not say' : 'age in the queue',
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
      note: queue && `${dollars(queue.costPerHourUsd)} per hour now`,
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
  const { timeToDrainSeconds, completedImagesPerSecond, toGoImages } = queue;
  if (timeToDrainSeconds === 0 || toGoImages === 0) return { value: 'drained', note: 'nothing is left to do' };
  if (timeToDrainSeconds === null) return { value: UNKNOWN, note: 'no image is being completed' };
  return { value: wholeSpan(timeToDrainSeconds), note: `at ${rate(completedImagesPerSecond)} images/s` };
}

/**
 * @param {number | null | undefined} value
 * @param {(value: number) => string} text
 */
function known(value, text) {
  return value === null || value === undefined ? UNKNOWN : text(value);
}

/** @typedef {{ queue: QueueFigures | undefined, history: History | undefined }} Charted */

/** @param {Charted} props */
function DepthPanel({ queue, history }) {
  const series = history && [
    {
      name: 'waiting',
      values: history.waitingMessages,
      tone: 'good',
      stack: 'queue',
      now: known(queue?.waitingMessages, count),
    },
    {
      name: 'in flight',
      values: history.inFlightMessages,
      tone: 'calm',
      stack: 'queue',
      now: known(queue?.inFlightMessages, count),
    },
    {
      name: 'delayed',
      values: history.delayedMessages,
      tone: 'warn',
      stack: 'queue',
      now: known(queue?.delayedMessages, count),
    },
    {
      name: 'dead',
      values: history.deadMessages,
      tone: 'bad',
      as: /** @type {const} */ ('dashed'),
      now: known(queue?.deadMessages, count),
    },
  ];
  const text = (/** @type {number} */ value) => counted(Math.round(value), 'message');
  return h(
    Panel,
    { title: 'Queue depth', unit: 'messages', wide: 'seven' },
    history && series
      ? h(TimeChart, {
          label: 'Queue depth over time, in messages',
          ...timesOf(history),
          series,
          text,
          least: 5,
          isWhole: true,
          size: 'tall',
        })
      : h(Waiting, {}),
    history && h(KnownFrom, { history }),
  );
}

/**
 * SQS keeps no history: before the server was started, nobody looked.
 *
 * @param {{ history: History }} props
 */
function KnownFrom({ history: { messagesKnownFromAt, fromAt } }) {
  if (messagesKnownFromAt === null || messagesKnownFromAt <= fromAt + 60_000)
    return h('p', { class: 'footnote' }, '\u00a0');
  const time = new Date(messagesKnownFromAt).toLocaleTimeString('en-GB').slice(0, 5);
  return h(
    'p',
    { class: 'footnote' },
    `Messages are known from ${time}, when this dashboard first looked; images from their files.`,
  );
}

/** @param {Charted} props */
function ThroughputPanel({ queue, history }) {
  const series = history && [
    { name: 'classified', values: history.classifiedImagesPerSecond, tone: 'good', stack: 'completed' },
    { name: 'failed', values: history.failedImagesPerSecond, tone: 'bad', stack: 'completed' },
    {
      name: 'arrived',
      values: history.arrivedImagesPerSecond,
      tone: 'faint',
      as: /** @type {const} */ ('dashed'),
      now: known(queue?.arrivedImagesPerSecond, rate),
    },
  ];
  const text = (/** @type {number} */ value) => `${rate(value)} images/s`;
  const unit = h('span', { class: 'unit' }, ' images/s');
  const peaks = history && peaksOf(history);
  return h(
    Panel,
    {
      title: 'Throughput',
      unit: 'images per second',
      wide: 'five',
      aside: queue && h('b', { class: 'panel-now' }, rate(queue.completedImagesPerSecond), unit),
    },
    history && series && peaks
      ? h(TimeChart, {
          label: 'Images per second over time',
          ...timesOf(history),
          series,
          text,
          size: 'tall',
          ...(peaks.most !== undefined && { most: peaks.most }),
        })
      : h(Waiting, {}),
    h(
      'p',
      { class: 'footnote' },
      peaks?.most === undefined ? '\u00a0' : `Arrivals reach ${text(peaks.arrived)}: more than the chart shows.`,
    ),
  );
}

/** Producers are that much faster than workers: on one scale with theirs, the speed of workers would be a flat line. */
const MOST_TIMES_FASTER = 3;

/**
 * @param {History} history
 * @returns {{ arrived: number, most: number | undefined }} `most` where the chart must end before the arrivals do
 */
function peaksOf({ arrivedImagesPerSecond, classifiedImagesPerSecond, failedImagesPerSecond }) {
  const arrived = Math.max(0, ...arrivedImagesPerSecond);
  const completed = Math.max(
    0,
    ...classifiedImagesPerSecond.map((value, index) => value + (failedImagesPerSecond[index] ?? 0)),
  );
  const isBeyond = completed > 0 && arrived > MOST_TIMES_FASTER * completed;
  return { arrived, most: isBeyond ? 1.25 * completed : undefined };
}

/** @param {{ jobs: readonly JobRow[] | undefined, now: number }} props */
function JobsPanel({ jobs, now }) {
  const aside = h('a', { href: linkTo('jobs') }, 'All jobs');
  const shown = jobs?.toSorted((one, other) => Number(one.hasEnded) - Number(other.hasEnded)).slice(0, RECENT_JOBS);
  return h(
    Panel,
    { title: 'Jobs', unit: 'running and recent', wide: 'seven', aside },
    shown === undefined ? h(Waiting, {}) : h(JobsTable, { jobs: shown, now, isShort: true }),
  );
}

/** @param {{ history: History | undefined, range: string, mayRetry: boolean }} props */
function CodesPanel({ history, range, mayRetry }) {
  const name = RANGES.find((one) => one.range === range)?.name ?? '';
  const totals = (history?.failedImagesByCode ?? [])
    .map(({ code, images }) => ({ code, images: images.reduce((sum, one) => sum + one, 0) }))
    .filter(({ images }) => images > 0)
    .toSorted((one, other) => other.images - one.images);
  const aside = mayRetry && h('a', { href: linkTo('dead-letters', { ask: 'redrive' }) }, 'Retry all…');
  const all = totals.reduce((sum, { images }) => sum + images, 0);
  const bars = totals.map(({ code, images }) => ({
    name: code,
    value: images,
    text: `${count(images)} · ${percent(images / all)}`,
    ...(code !== 'other' && { href: linkTo('dead-letters', { code }) }),
  }));
  return h(
    Panel,
    { title: 'Failures by code', unit: `images, share of failures, ${name}`, wide: 'five', aside },
    history === undefined && h(Waiting, {}),
    history && bars.length === 0 && h(Empty, { title: `No image failed in ${name}.` }),
    bars.length > 0 && h(Bars, { bars, tone: 'bad', nameOf: 'code', unit: 'images' }),
  );
}

/** @param {Charted} props */
function AgePanel({ history }) {
  const series = history && [
    { name: 'age of the oldest message', values: history.oldestMessageAgeSeconds, tone: 'warn' },
  ];
  return h(
    Panel,
    { title: 'Oldest message', unit: 'age', wide: 'four' },
    history && series
      ? h(TimeChart, {
          label: 'Age of the oldest message over time',
          ...timesOf(history),
          series,
          text: wholeSpan,
          isSpan: true,
          least: 10,
        })
      : h(Waiting, {}),
  );
}

/** @param {Charted} props */
function ToGoPanel({ history }) {
  const series = history && [{ name: 'remaining', values: history.toGoImages, tone: 'good' }];
  const text = (/** @type {number} */ value) => counted(Math.round(value), 'image');
  return h(
    Panel,
    { title: 'Remaining', unit: 'images without an outcome', wide: 'four' },
    history && series
      ? h(TimeChart, {
          label: 'Images without an outcome over time',
          ...timesOf(history),
          series,
          text,
          least: 5,
          isWhole: true,
        })
      : h(Waiting, {}),
  );
}

/** @param {History} history */
function timesOf({ bucketAt, bucketSeconds }) {
  return { at: bucketAt, bucketSeconds };
}
