import { Command } from 'commander';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { costOfImages } from '../../shared/cost.ts';
import { jsonOption, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

export function benchCommand(): Command {
  return new Command('bench')
    .description('Measure the workers: run images through them, and print processor, speed, cold starts and cost.')
    .option('--images <n>', 'number of images', wholeNumber(100, 100_000), 5_000)
    .option(
      '--urls <file>',
      'a list of images as for enqueue, used in rotation (default: four photos, uploaded to the results bucket)',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
With --stack this costs what its images cost: about $${costOfImages(5_000, DEFAULT_IMAGES_PER_MESSAGE).totalUsd.toFixed(3)} for 5,000. The
job, its results and the photos are removed at the end and after Ctrl-C. Other running jobs share the workers and
distort the figures for all workers together. Billed times and stages come from
CloudWatch; without the permission logs:FilterLogEvents they are omitted.`,
    )
    .action(whenRun(async () => (await import('../bench/bench.ts')).benchWorkers));
}
