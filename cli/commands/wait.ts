import { Command } from 'commander';
import { jobArgument, jsonOption, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

const A_MONTH_SECONDS = 30 * 24 * 3_600;

export function waitCommand(): Command {
  return new Command('wait')
    .description(
      'Wait until a job finishes. For scripts: exit code 0 when all images are classified, 3 when some failed or were cancelled, 1 on a timeout.',
    )
    .addArgument(jobArgument())
    .option('--timeout <seconds>', 'stop waiting after this time, with exit code 1', wholeNumber(1, A_MONTH_SECONDS))
    .addOption(jsonOption())
    .action(whenRun(async () => (await import('../jobs/wait.ts')).waitForEnd));
}
