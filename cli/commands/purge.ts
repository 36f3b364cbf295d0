import { Command } from 'commander';
import { jobArgument } from '../options.ts';
import { whenRun } from './when-run.ts';

export function purgeCommand(): Command {
  return new Command('purge')
    .description('Remove all files of a job: results, failures, uploads, and the job itself.')
    .addArgument(jobArgument())
    .option('--yes', 'do not ask for confirmation')
    .action(whenRun(async () => (await import('../jobs/purge.ts')).purge));
}
