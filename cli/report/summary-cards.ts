import { byteSize, count, dollars, formatDuration, percent } from '../../dashboard/page/numbers.js';
import { ASSUMED } from '../../shared/cost.ts';
import type { Completeness, Summary } from '../export/summarize.ts';
import { type Html, html } from './html.ts';

/** The text of a job's state, and whether it is a good one. */
export const STATES: Record<Completeness, { text: string; good: boolean }> = {
  completed: { text: 'completed', good: true },
  'completed with failures': { text: 'completed with failures', good: false },
  incomplete: { text: 'not completed', good: false },
  cancelled: { text: 'cancelled', good: false },
  unknown: { text: 'so far', good: true },
};

/** How the time behind the cost was obtained. */
function costNote({ computing: { measuredShare, workers } }: Summary): string {
  const hosts = new Set(workers.map(({ host }) => host));
  const fleet = hosts.has('ec2') ? ', EC2 on demand' : '';
  const own = hosts.has('own') ? ', own machines not priced' : '';
  if (measuredShare === 1) return `measured time at list prices${fleet}${own}`;
  return measuredShare === 0 ? `assumed: ${ASSUMED.processor}` : `${percent(1 - measuredShare)} of it estimated`;
}

type Figure = { name: string; value: string; note?: string; bad?: boolean };

/** The summary cards at the top of a report. */
export function summaryCards(summary: Summary): Html {
  const { images, durations, bytes, cost, labels } = summary;
  const settled = images.classified + images.failed;
  const all: Figure[] = [
    { name: 'Classified', value: count(images.classified), note: `${count(labels.length)} different labels` },
    {
      name: 'Failed',
      value: count(images.failed),
      note: settled === 0 ? '' : `${percent(images.failed / settled)} of outcomes`,
      bad: images.failed > 0,
    },
    ...(images.remaining
      ? [{ name: 'Remaining', value: count(images.remaining), note: `of ${count(images.enqueued ?? 0)} enqueued` }]
      : []),
    {
      name: 'Time',
      value: formatDuration(durations.seconds),
      note: `${count(Math.round(durations.imagesPerSecond))} images per second`,
    },
    { name: 'Fetched', value: byteSize(bytes.total), note: `${byteSize(bytes.mean)} per image` },
    { name: 'Cost', value: dollars(cost.totalUsd), note: costNote(summary) },
  ];
  return html`<dl class="figures">${all.map(
    ({ name, value, note, bad }) =>
      html`<div class="${bad ? 'bad' : ''}"><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>\n`,
  )}</dl>`;
}
