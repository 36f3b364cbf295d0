// @ts-check
import { count, counted, rate } from './numbers.js';
import { Bars, Empty, Panel, Waiting } from './panels.js';
import { plain } from './plain-text.js';
import { TimeChart } from './time-chart.js';
import { h } from './vendor/preact.js';

/** @import { JobContent, JobDetail } from '../contract/jobs.ts' */

const BARS_SHOWN = 12;

/** @param {{ detail: JobDetail | undefined }} props */
export function SpeedPanel({ detail }) {
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
export function SettledPanel({ detail }) {
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

/** @param {{ content: JobContent | null | undefined }} props */
export function LabelsPanel({ content }) {
  const bars = content?.labels.slice(0, BARS_SHOWN).map(({ label, images, meanScore }) => ({
    name: plain(label),
    value: images,
    text: count(images),
    note: `score ${meanScore.toFixed(2)}`,
  }));
  return h(
    Panel,
    { title: 'Labels', unit: content?.isSample ? 'images of the sample' : 'images', wide: 'five' },
    bars === undefined && h(Waiting, {}),
    bars?.length === 0 && h(Empty, { title: 'No image has been classified yet.' }),
    bars !== undefined && bars.length > 0 && h(Bars, { bars, nameOf: 'best label', unit: 'images' }),
  );
}
