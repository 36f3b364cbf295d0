import { createWriteStream, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { classifierSettingsFrom } from '../shared/contract/settings.ts';
import { allowHostOption, modelEnvironment, modelOption, stateDirOption, wholeNumber } from './options.ts';

const DEFAULT_PORT = 4_566;
type Options = { port: number; workers: number; model?: string; allowHost?: string[]; stateDir: string };

export function localCommand(): Command {
  return new Command('local')
    .description('Runs SQS, S3 and the workers on this machine until Ctrl-C; queues and results stay.')
    .option('--port <n>', 'where SQS and S3 listen, on 127.0.0.1', wholeNumber(0, 65_535), DEFAULT_PORT)
    .option(
      '--workers <n>',
      'execution environments; by default one a core',
      wholeNumber(1, 64),
      availableParallelism(),
    )
    .addOption(modelOption())
    .addOption(allowHostOption())
    .addOption(stateDirOption())
    .action(runLocal);
}

async function runLocal({ port, workers, model, allowHost = [], stateDir }: Options): Promise<void> {
  const workerEnvironment = {
    ...modelEnvironment(model),
    ALLOWED_HOSTS: allowHost.join(','),
    SOURCE_BUCKETS: 'labelqueue',
  };
  // A wrong host shall show here, not only in the workers' log.
  classifierSettingsFrom(workerEnvironment);
  const dataDir = join(stateDir, 'local');
  mkdirSync(dataDir, { recursive: true });
  const logPath = join(dataDir, 'workers.log');
  const log = createWriteStream(logPath, { flags: 'a' });
  const { startLocalService } = await import('../local/local-service.ts');
  const service = await startLocalService({
    port,
    dataDir,
    workers,
    workerEnvironment,
    onLog: (text) => log.write(text),
    onFunctionError: (error) => process.stderr.write(`worker: ${error.message}\n`),
  });
  process.stderr.write(
    `${workers} ${workers === 1 ? 'worker is' : 'workers are'} ready; their log is ${relative(process.cwd(), logPath)}\n` +
      'Ctrl-C ends it. For another terminal:\n\n',
  );
  for (const [name, value] of Object.entries(service.aws.environment))
    process.stdout.write(`export ${name}=${value}\n`);
  try {
    await Promise.race([interrupted(), service.ended()]);
    process.stderr.write('\nfinishing what is in hand …\n');
  } finally {
    await service.stop();
    log.end();
  }
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
