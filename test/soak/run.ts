/** `npm run soak`: does the worker give back what it takes? The exit code says so. */
import { Command, InvalidArgumentError } from 'commander';
import { printProgress } from '../../testkit/print-progress.ts';
import { curveTable } from './curve-table.ts';
import { leaksIn, memoryGrowthPercent } from './leaks.ts';
import { REFERENCE_INTERVAL, runSoak } from './soak-run.ts';

const { images, json } = new Command('soak')
  .description('Sends images through one worker process and watches its memory, its tensors and its sockets.')
  .option('--images <n>', 'a multiple of 1,000', wholeIntervals, 20_000)
  .option('--json', 'the curve as JSON on standard output, in place of a table', false)
  .allowExcessArguments(false)
  .parse()
  .opts<{ images: number; json: boolean }>();

const soak = await runSoak(images, ({ images: done, measured: { rssMb }, seconds }) =>
  printProgress(`${done} images: ${rssMb.toFixed(0)} MB, the last 1,000 in ${seconds.toFixed(0)} s`),
);
const growthPercent = memoryGrowthPercent(soak);
const leaks = leaksIn(soak);
process.stdout.write(
  json ? `${JSON.stringify({ ...soak, growthPercent, leaks })}\n` : `${curveTable(soak.intervals)}\n`,
);
printProgress(
  `from image ${REFERENCE_INTERVAL},000 on, the peak of resident memory rose by ${growthPercent.toFixed(1)} %`,
);
for (const leak of leaks) printProgress(leak);
process.exitCode = leaks.length === 0 ? 0 : 1;

function wholeIntervals(text: string): number {
  const value = Number(text);
  if (/^\d+000$/.test(text) && value > REFERENCE_INTERVAL * 1_000) return value;
  throw new InvalidArgumentError(`Expected a multiple of 1,000 above ${REFERENCE_INTERVAL},000.`);
}
