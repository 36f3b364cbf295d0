import { Command } from 'commander';
import { errorCodesOption, forceOption, jobName, jsonOption } from '../options.ts';
import { whenRun } from './when-run.ts';

export function redriveCommand(): Command {
  return new Command('redrive')
    .description('Send the failed images of a job again, and take them out of the dead-letter queue.')
    .argument('[job]', 'job name', jobName)
    .addOption(errorCodesOption())
    .option('--dry-run', 'only print how many it would be')
    .option('--unreadable', 'instead: list the dead letters that are no messages, and save their bodies')
    .option('--out <file>', 'where --unreadable saves them', 'unreadable.jsonl')
    .addOption(forceOption())
    .addOption(jsonOption())
    .action(whenRun(async () => (await import('../jobs/redrive.ts')).redriveJob));
}
