/** `npm run bench:work`: how much faster is `labelqueue work` with several processes than with one? A JSON line for each number of them. */
import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { median } from './statistics.ts';
import { measureWork, type WorkMeasurement } from './work-loop/measure-work.ts';

const { images, processes, rounds, pinned } = new Command('bench:work')
  .description('Classifies the same images with different numbers of processes.')
  .option('--images <n>', 'images of a run', wholeNumber(100, 1_000_000), 2_000)
  .option('--processes <list>', 'numbers of processes, the first of which the others are compared to', numbers, [1, 2])
  .option('--rounds <n>', 'runs of each, in turn', wholeNumber(1, 100), 2)
  .option('--pinned', 'a core for each process, and the last core of the machine for the servers', false)
  .allowExcessArguments(false)
  .parse()
  .opts<{ images: number; processes: number[]; rounds: number; pinned: boolean }>();

const measured = new Map<number, WorkMeasurement[]>(processes.map((count) => [count, []]));
for (let round = 0; round < rounds; round++) {
  for (const count of processes) {
    const measurement = await measureWork({ images, processes: count, pinned });
    measured.get(count)?.push(measurement);
    process.stdout.write(`${JSON.stringify(measurement)}\n`);
  }
}
const [first = 1, ...others] = processes;
for (const count of others) {
  const ratio = (figure: (run: WorkMeasurement) => number) => medianOf(count, figure) / medianOf(first, figure);
  process.stderr.write(
    `${count} processes: ${ratio(({ imagesPerSecond }) => imagesPerSecond).toFixed(2)} times the images per second of ${first}; ` +
      `an image takes ${(100 * ratio(({ cpuMsPerImage }) => cpuMsPerImage)).toFixed(1)} % of the computing time that it takes with ${first}\n`,
  );
  if (!pinned) continue;
  process.stderr.write(
    `servers aside: per core that they left, ${count} processes did ${ratio(({ imagesPerSecond, cores = Number.NaN }) => imagesPerSecond / cores).toFixed(2)} times the images of ${first}\n`,
  );
}

/** The median of a figure of the runs with so many processes. */
function medianOf(processes: number, figure: (run: WorkMeasurement) => number): number {
  return median((measured.get(processes) ?? []).map(figure));
}

function numbers(text: string): number[] {
  const list = text.split(',').map(Number);
  if (list.every((count) => Number.isInteger(count) && count >= 1)) return list;
  throw new InvalidArgumentError('Expected numbers of processes, e.g. 1,2.');
}
