import { Command } from 'commander';
import { modelOption, stateDirOption, trustModelOption } from '../options.ts';
import { whenRun } from './when-run.ts';

export function demoCommand(): Command {
  return new Command('demo')
    .description('Label the sample photos through SQS, workers and S3 on this machine.')
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(stateDirOption())
    .action(whenRun(async () => (await import('../local/demo.ts')).runDemo));
}
