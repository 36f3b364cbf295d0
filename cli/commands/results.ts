import { Command } from 'commander';
import { jobArgument, numberBetween } from '../options.ts';
import { withExportOptions } from './export-options.ts';
import { whenRun } from './when-run.ts';

export function resultsCommand(): Command {
  const command = new Command('results')
    .description('Writes the labels of a job to one file, each image once; <job>.summary.json beside it sums them up.')
    .addArgument(jobArgument())
    .option('--in-order', 'in the order of the source; images that are not in it last')
    .option('--min-score <score>', 'images with a label of at least this score, 0 to 1', numberBetween(0, 1))
    .option(
      '--label <pattern>',
      "images with a label like this, e.g. '*cat*'; together with --min-score, of that score",
    );
  return withExportOptions(command, {
    csv: 'label1, score1, label2, ...',
    parquet: 'labels as a list of structs',
  }).action(whenRun(async () => (await import('../results.ts')).results));
}
