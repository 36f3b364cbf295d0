import { Command } from 'commander';
import { jobArgument } from '../options.ts';
import { whenRun } from './when-run.ts';

export function cancelCommand(): Command {
  return new Command('cancel')
    .description('Cancel a job: workers stop within 30 s. Results are kept, remaining images are dropped.')
    .addArgument(jobArgument())
    .action(whenRun(async () => (await import('../jobs/cancel.ts')).cancel));
}
