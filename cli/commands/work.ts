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
      `after a signal or a Spot notice, how long work in hand may take (default: ${WORK_DRAIN_SECONDS})`,
      wholeNumber(0, DAY_SECONDS),
    )
    .addOption(
      new Option('--exit-when-empty [seconds]', 'end once the queue has been empty for so long')
        .argParser(wholeNumber(0, DAY_SECONDS))
        .preset(String(EMPTY_SECONDS)),
    )
    .option('--port <n>', 'serve /healthz, /readyz and /metrics; 0 for any free port', wholeNumber(0, 65_535))
    .option('--host <name>', 'the address to listen on (default: 127.0.0.1)')
    .option('--spot', 'drain when EC2 announces that it takes this instance back')
    .option('--json', 'log JSON lines on a terminal, too')
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(allowHostOption())
    .addHelpText(
      'after',
      `
Each option has a variable, WORK_PROCESSES and so on: see docs/work.md.
The first Ctrl-C or SIGTERM finishes what is in hand and gives back the rest; the second one ends it at once.`,
    )
    .action(whenRun(async () => (await import('../work/work.ts')).runWorkCommand));
}
