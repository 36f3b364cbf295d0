import { Command } from 'commander';
import { jobName, jsonOption } from '../options.ts';
import { whenRun } from './when-run.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description("Show a job's progress, or list all jobs.")
    .argument('[job]', 'job name', jobName)
    .option('--watch', 'refresh until the job finishes; without a job, until Ctrl-C')
    .addOption(jsonOption())
    .action(whenRun(async () => (await import('../jobs/status.ts')).showStatus));
}
