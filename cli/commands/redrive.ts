import { Command } from 'commander';
import { errorCodesOption, forceOption, jobName, jsonOption } from '../options.ts';
import { whenRun } from './when-run.ts';

export function redriveCommand(): Command {
  return new Command('redrive')
    .description('Send the failed images of a job again, and remove them from the dead-letter queue.')
    .argument('[job]', 'job name', jobName)
    .addOption(errorCodesOption())
    .option('--dry-run', 'send nothing; print how many images would be sent')
    .option('--unreadable', 'instead: list malformed messages in the dead-letter queue and save their bodies')
    .option('--out <file>', 'output file of --unreadable', 'unreadable.jsonl')
    .addOption(forceOption())
    .addOption(jsonOption())
    .action(whenRun(async () => (await import('../jobs/redrive.ts')).redriveJob));
}
