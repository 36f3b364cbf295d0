import { Command } from 'commander';
import { jobArgument } from '../options.ts';
import { whenRun } from './when-run.ts';

export function cancelCommand(): Command {
  return new Command('cancel')
    .description('Stop a job within 30 s. Results stay; remaining messages are acknowledged without work.')
    .addArgument(jobArgument())
    .action(whenRun(async () => (await import('../jobs/cancel.ts')).cancel));
}
