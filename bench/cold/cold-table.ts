import { START_MARKS, type StartMark } from '../../shared/runtime/start-marks.ts';
import { median } from '../statistics.ts';
import type { Start } from './measure-start.ts';

const TITLES: Record<StartMark, string> = {
  'labelqueue:entered': "Node and Lambda's runtime client",
  'labelqueue:unpacked': 'unpack TensorFlow',
  'labelqueue:modules-loaded': 'load modules',
  'labelqueue:model-loaded': 'load the model',
  'labelqueue:first-predicted': 'first predict, batch of 1',
  'labelqueue:warm': 'first predict, batch of 8',
};

/** Medians in milliseconds, as a Markdown table. */
export function coldTable(unpacking: readonly Start[], filled: readonly Start[]): string {
  const row = (title: string, figure: (start: Start) => number) =>
    `| ${title} | ${Math.round(median(unpacking.map(figure)))} | ${Math.round(median(filled.map(figure)))} |`;
  return [
    '| ms | unpacking | /tmp filled |',
    '|---|---|---|',
    ...START_MARKS.map((mark) => row(TITLES[mark], ({ parts }) => parts[mark])),
    row('first invocation', ({ invocation }) => invocation),
    row('**start of the process to the first result**', ({ total }) => total),
    row('warm invocation, one image', ({ warm }) => median(warm)),
    row('most resident memory (MB)', ({ residentMb }) => residentMb),
    '',
  ].join('\n');
}
