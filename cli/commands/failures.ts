import { Command } from 'commander';
import { errorCodesOption, jobArgument } from '../options.ts';
import { withExportOptions } from './export-options.ts';
import { whenRun } from './when-run.ts';

export function failuresCommand(): Command {
  const command = new Command('failures')
    .description('Write the failed images of a job, each with error code, stage, message and attempts.')
    .addArgument(jobArgument())
    .addOption(errorCodesOption());
  return withExportOptions(command, {
    csv: 'code, stage, message, retryable',
    parquet: 'error as a struct',
  }).action(whenRun(async () => (await import('../export/failures.ts')).failures));
}
