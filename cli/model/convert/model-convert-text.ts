import type { ModelFormat } from '../../../shared/classifier/model/model-format.ts';
import { visibleLine } from '../../../shared/contract/visible-text.ts';
import { commandName } from '../../terminal/command-name.ts';
import { quoted } from '../../terminal/shell-text.ts';
import type { Agreement, Comparison } from './compare-models.ts';

/** What `labelqueue model convert` found. */
export type Conversion = {
  from: string;
  format: ModelFormat;
  to: string;
  agreement: Agreement;
  timings: Comparison[];
};

/** Formats the result of `model convert`. */
export function conversionText({ from, format, to, agreement, timings }: Conversion): string {
  return [
    `${visibleLine(to)}: a SavedModel of the ${format.replace('-', ' ')} in ${visibleLine(from)}\n`,
    agreementText(agreement),
    ...timings.map(timingText),
    `to try it: ${commandName()} model check ${quoted(to)}\n`,
  ].join('');
}

function agreementText({ photos, largestDifference, otherBest }: Agreement): string {
  const best = otherBest === 0 ? 'the same best label for each' : `a different best label for ${otherBest} of them`;
  const difference = largestDifference === 0 ? '0' : largestDifference.toExponential(0);
  return `on ${photos} photos: ${best}, scores differ by at most ${difference}\n`;
}

function timingText({ images, before, after }: Comparison): string {
  const times = `${before.toFixed(1)} ms per image before, ${after.toFixed(1)} ms now`;
  return `batch of ${images}: ${times}, ${(before / after).toFixed(1)} times as fast\n`;
}
