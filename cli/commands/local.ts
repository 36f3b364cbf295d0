import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import {
  allowHostOption,
  embeddingOption,
  modelOption,
  stateDirOption,
  trustModelOption,
  wholeNumber,
} from '../options.ts';
import { allowChangesOption } from './dashboard.ts';
import { whenRun } from './when-run.ts';

const DEFAULT_PORT = 4_566;

export function localCommand(): Command {
  return new Command('local')
    .description(
      'Run SQS, S3, workers, dashboard and HTTP API on this machine until Ctrl-C. Queues and results are kept.',
    )
    .option('--port <n>', 'port of SQS and S3 on 127.0.0.1', wholeNumber(0, 65_535), DEFAULT_PORT)
    .option(
      '--api-port <n>',
      'port of the dashboard and the HTTP API (default: the port after --port)',
      wholeNumber(0, 65_535),
    )
    .option('--workers <n>', 'number of workers, one per core by default', wholeNumber(1, 64), availableParallelism())
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(embeddingOption())
    .addOption(allowHostOption())
    .addOption(stateDirOption())
    .addOption(allowChangesOption())
    .action(whenRun(async () => (await import('../local/local.ts')).runLocal));
}
