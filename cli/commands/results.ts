import { Command } from 'commander';
import { jobArgument } from '../options.ts';
import { withExportOptions } from './export-options.ts';
import { withResultsOptions } from './results-options.ts';
import { whenRun } from './when-run.ts';

export function resultsCommand(): Command {
  const command = new Command('results')
    .description('Write the labels of a job to one file, each image once, and a summary to <job>.summary.json.')
    .addArgument(jobArgument());
  return withExportOptions(withResultsOptions(command), {
    csv: 'label1, score1, label2, ...',
    parquet: 'labels as a list of structs',
  }).action(whenRun(async () => (await import('../export/results.ts')).results));
}
