import { Command, Option } from 'commander';
import { DAY_SECONDS, MAX_WORK_PROCESSES, WORK_DRAIN_SECONDS } from '../../shared/contract/limits.ts';
import { allowHostOption, modelOption, trustModelOption, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

/** SQS's counts are right a minute after the last change. */
const EMPTY_SECONDS = 60;

export function workCommand(): Command {
  return new Command('work')
    .description('Run the worker on this machine: take messages from the queue until interrupted.')
    .option('--processes <n>', 'processes that classify (default: one per core)', wholeNumber(1, MAX_WORK_PROCESSES))
    .option(
      '--drain-seconds <n>',
      `seconds for in-flight work after a signal or a Spot notice (default: ${WORK_DRAIN_SECONDS})`,
      wholeNumber(0, DAY_SECONDS),
    )
    .addOption(
      new Option('--exit-when-empty [seconds]', 'exit when the queue has been empty for this time')
        .argParser(wholeNumber(0, DAY_SECONDS))
        .preset(String(EMPTY_SECONDS)),
    )
    .option('--port <n>', 'serve /healthz, /readyz and /metrics; 0 for any free port', wholeNumber(0, 65_535))
    .option('--host <name>', 'address to listen on (default: 127.0.0.1)')
    .option('--spot', 'drain on an EC2 Spot interruption notice')
    .option('--json', 'log JSON lines also to a terminal')
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(allowHostOption())
    .addHelpText(
      'after',
      `
Each option can be set by a variable, such as WORK_PROCESSES (see docs/work.md).
The first Ctrl-C or SIGTERM finishes in-flight work and returns other messages to
the queue; the second exits at once.`,
    )
    .action(whenRun(async () => (await import('../work/work.ts')).runWorkCommand));
}
