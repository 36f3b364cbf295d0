import { Command } from 'commander';
import { jobArgument } from '../options.ts';
import { whenRun } from './when-run.ts';

export function cancelCommand(): Command {
  return new Command('cancel')
    .description('Stops a job within 30 s. What is done stays; what is left is acknowledged without work.')
    .addArgument(jobArgument())
    .action(whenRun(async () => (await import('../cancel.ts')).cancel));
}
