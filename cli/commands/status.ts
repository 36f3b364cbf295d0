import { Command } from 'commander';
import { jobName, jsonOption } from '../options.ts';
import { whenRun } from './when-run.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('Tells how far a job is; without a job, lists all.')
    .argument('[job]', 'its name, as `labelqueue enqueue` printed it', jobName)
    .option('--watch', 'again and again, until the job has ended; without a job, until Ctrl-C')
    .addOption(jsonOption())
    .action(whenRun(async () => (await import('../status.ts')).showStatus));
}
