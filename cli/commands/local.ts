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
      'Run SQS, S3, the workers, the dashboard and the HTTP API on this machine until Ctrl-C; queues and results stay.',
    )
    .option('--port <n>', 'where SQS and S3 listen, on 127.0.0.1', wholeNumber(0, 65_535), DEFAULT_PORT)
    .option(
      '--api-port <n>',
      'where the dashboard and the HTTP API listen (default: the port after --port)',
      wholeNumber(0, 65_535),
    )
    .option(
      '--workers <n>',
      'execution environments; by default one a core',
      wholeNumber(1, 64),
      availableParallelism(),
    )
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(embeddingOption())
    .addOption(allowHostOption())
    .addOption(stateDirOption())
    .addOption(allowChangesOption())
    .action(whenRun(async () => (await import('../local/local.ts')).runLocal));
}
