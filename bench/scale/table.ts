import { count, dollars, duration } from '../format.ts';
import { ASSUMPTIONS, SIMPLIFICATIONS } from './assumptions.ts';
import { costOfJob, idleUsdOfMonth } from './cost.ts';
import type { Scenario } from './scenario.ts';
import { JOBS, SCENARIOS } from './scenarios.ts';
import { type Outcome, simulate } from './simulate.ts';

const HEAD = [
  '| | time | cost | peak workers | cold starts | images/s at peak | Gbit/s of images at peak | bottleneck, and its share of the time |',
  '|---|---|---|---|---|---|---|---|',
];

/** A Markdown table per job, and one of what pollers cost without jobs. */
export function scaleTables(): string {
  return [...JOBS.map(tableOfJob), tableOfIdlePollers()].join('\n\n');
}

function tableOfJob(images: number): string {
  const rows = SCENARIOS.map(({ name, scenario }) => {
    const job = { ...scenario, images };
    return rowOf(name, job, simulate(job));
  });
  return [`**${count(images)} images**`, '', ...HEAD, ...rows].join('\n');
}

function rowOf(name: string, scenario: Scenario, outcome: Outcome): string {
  const { peakConcurrency, coldStarts, bottleneck, boundSeconds, seconds } = outcome;
  const { imagesPerSecond, gigabitsPerSecond } = peakOf(scenario, outcome);
  const share = ((boundSeconds.get(bottleneck) ?? 0) / seconds) * 100;
  return `| ${[
    name,
    duration(seconds),
    dollars(costOfJob(scenario, outcome).totalUsd),
    count(peakConcurrency),
    count(coldStarts),
    count(imagesPerSecond),
    gigabitsPerSecond.toFixed(1),
    `${bottleneck}, ${share.toFixed(0)} %`,
  ].join(' | ')} |`;
}

/** What image servers must give when the most workers are all busy with images. */
function peakOf({ secondsPerImage }: Scenario, { peakConcurrency }: Outcome) {
  const imagesPerSecond = peakConcurrency / secondsPerImage;
  return { imagesPerSecond, gigabitsPerSecond: (imagesPerSecond * ASSUMPTIONS.bytesPerImage.value * 8) / 1e9 };
}

function tableOfIdlePollers(): string {
  const minimums = new Map(
    SCENARIOS.flatMap(({ scenario }) =>
      scenario.pollers.kind === 'provisioned' ? [[scenario.pollers.minimum, idleUsdOfMonth(scenario)] as const] : [],
    ),
  );
  const rows = [...minimums].map(([minimum, usd]) => `| ${count(minimum)} | ${dollars(usd)} |`);
  return ['| minimum pollers | cost per month without jobs |', '|---|---|', ...rows].join('\n');
}

/** Every assumption, as a Markdown list. */
export function assumptionList(): string {
  const numbers = Object.values(ASSUMPTIONS).map(
    ({ value, says, source }) =>
      `- **${value.toLocaleString('en', { maximumFractionDigits: 5 })}** ${says}. ${source}.`,
  );
  return [...numbers, ...SIMPLIFICATIONS.map((text) => `- ${text}`)].join('\n');
}
