import { machineName } from '../../dashboard/page/machine-name.js';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { counted } from '../terminal/counted.ts';
import type { Findings } from './findings.ts';

const UNMEASURED = 'unknown: the workers measured no time';
const UNKNOWN = 'unknown: no worker log was found';

/** The findings as text. */
export function findingsText(found: Findings): string {
  return `${[
    `images       ${found.classified} classified, ${found.failed} failed${codesText(found)}`,
    `model        ${found.models.map(({ name, version, images }) => `${visibleLine(`${name} ${version}`)} (${counted(images, 'image')})`).join(', ')}`,
    `processor    ${processorText(found)}`,
    `per worker   ${found.millisecondsPerImage.toFixed(1)} ms per image: ${(1_000 / found.millisecondsPerImage).toFixed(1)} images/s`,
    `by stage     ${stagesText(found)}`,
    `together     ${found.imagesPerSecond.toFixed(1)} images/s, ${found.seconds.toFixed(1)} s from the first message to the last image`,
    `cold starts  ${coldStartText(found)}`,
    `cost         ${costText(found)}`,
  ].join('\n')}\n`;
}

function codesText({ failedByCode }: Findings): string {
  const codes = Object.entries(failedByCode).map(([code, images]) => `${images} ${code}`);
  return codes.length === 0 ? '' : ` (${codes.join(', ')})`;
}

function processorText({ processors, machines }: Findings): string {
  const sizes = machines.map(machineName);
  const names = processors.map(({ processor, images }) => `${visibleLine(processor)} (${counted(images, 'image')})`);
  return [...(names.length === 0 ? [UNKNOWN] : names), ...new Set(sizes)].join('; ');
}

function stagesText({ stageMs }: Findings): string {
  if (stageMs === undefined) return UNKNOWN;
  const { fetch, decode, inference } = stageMs;
  return `fetch ${fetch.toFixed(1)} ms, decode ${decode.toFixed(1)} ms, inference ${inference.toFixed(1)} ms per image; many images are fetched and decoded at once`;
}

function coldStartText({ coldStarts }: Findings): string {
  if (coldStarts === undefined) return UNKNOWN;
  const { count, medianMs } = coldStarts;
  return count === 0 ? '0' : `${count}, ${(medianMs / 1_000).toFixed(1)} s each (median)`;
}

function costText(found: Findings): string {
  const { usdPerMillion, unpricedShare } = found;
  if (usdPerMillion === undefined) {
    return unpricedShare === 0 ? UNMEASURED : 'not priced: your own machines have no list price';
  }
  const unpriced = Math.min(99, Math.max(1, Math.round(unpricedShare * 100)));
  const without =
    unpricedShare === 0 ? '' : `, without the ${unpriced} % of the time on your own machines (not priced)`;
  return `$${usdPerMillion.toFixed(3)} per million images at list prices, ${sourceText(found)}${without}`;
}

function sourceText({ usdFrom, billedMsPerImage }: Findings): string {
  return usdFrom === 'billed'
    ? `from ${(billedMsPerImage ?? 0).toFixed(1)} ms billed per image`
    : 'from the time measured by the workers';
}
