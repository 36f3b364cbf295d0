// @ts-check
import { count, counted, formatWholeSeconds, known, rate } from './numbers.js';
import { Panel, Waiting } from './panels.js';
import { TimeChart } from './time-chart.js';
import { h } from './vendor/preact.js';

/** @import { History, QueueFigures } from '../contract/queue.ts' */

/** @typedef {{ queue: QueueFigures | undefined, history: History | undefined }} Charted */

/** @param {Charted} props */
export function DepthPanel({ queue, history }) {
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
 * SQS keeps no history: nothing is known of the time before the server started.
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
    `Message counts begin at ${time}, when this dashboard started; image counts come from part files.`,
  );
}

/** @param {Charted} props */
export function ThroughputPanel({ queue, history }) {
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
      peaks?.most === undefined ? '\u00a0' : `Arrivals peak at ${text(peaks.arrived)}, beyond the chart.`,
    ),
  );
}

/**
 * Producers may be this much faster than workers; on a common scale beyond that, the workers' rate would be a flat
 * line.
 */
const MAX_TIMES_FASTER = 3;

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
  const isBeyond = completed > 0 && arrived > MAX_TIMES_FASTER * completed;
  return { arrived, most: isBeyond ? 1.25 * completed : undefined };
}

/** @param {Charted} props */
export function AgePanel({ history }) {
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
          text: formatWholeSeconds,
          isSpan: true,
          least: 10,
        })
      : h(Waiting, {}),
  );
}

/** @param {Charted} props */
export function RemainingPanel({ history }) {
  const series = history && [{ name: 'remaining', values: history.remainingImages, tone: 'good' }];
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
