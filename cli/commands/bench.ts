import { Command } from 'commander';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { costOfImages } from '../../shared/cost.ts';
import { jsonOption, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

export function benchCommand(): Command {
  return new Command('bench')
    .description('Measure the workers: run images through them, and print processor, speed, cold starts and cost.')
    .option('--images <n>', 'how many', wholeNumber(100, 100_000), 5_000)
    .option(
      '--urls <file>',
      'a list of images, as for enqueue, that are taken in turn (default: four photos, which are put into the results bucket)',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
With --stack it costs what the images cost, about $${costOfImages(5_000, DEFAULT_IMAGES_PER_MESSAGE).totalUsd.toFixed(3)} for 5,000. Job, results and photos are removed at
the end, and after Ctrl-C. Other jobs that run meanwhile share the workers: then the figures of all workers together
say little. Billed times and stages come from CloudWatch; without logs:FilterLogEvents they are left out.`,
    )
    .action(whenRun(async () => (await import('../bench/bench.ts')).benchWorkers));
}
