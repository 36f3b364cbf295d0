import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { publishService } from '../local/running-service.ts';
import { openWorkerLog } from '../local/worker-log.ts';
import { connectionsAllowed } from '../shared/classifier/open-files.ts';
import { classifierSettingsFrom } from '../shared/contract/settings.ts';
import { CommandError } from './expected-failures.ts';
import { untilInterrupted } from './interruption.ts';
import {
  allowHostOption,
  type ModelOptions,
  modelEnvironment,
  modelOption,
  stateDirOption,
  trustModelOption,
  wholeNumber,
} from './options.ts';
import { print, printNote } from './terminal.ts';

const DEFAULT_PORT = 4_566;
type Options = ModelOptions & {
  port: number;
  apiPort?: number;
  workers: number;
  allowHost?: string[];
  stateDir: string;
};

export function localCommand(): Command {
  return new Command('local')
    .description('Runs SQS, S3, the workers and the HTTP API on this machine until Ctrl-C; queues and results stay.')
    .option('--port <n>', 'where SQS and S3 listen, on 127.0.0.1', wholeNumber(0, 65_535), DEFAULT_PORT)
    .option('--api-port <n>', 'where the HTTP API listens (default: the port after --port)', wholeNumber(0, 65_535))
    .option(
      '--workers <n>',
      'execution environments; by default one a core',
      wholeNumber(1, 64),
      availableParallelism(),
    )
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(allowHostOption())
    .addOption(stateDirOption())
    .action(runLocal);
}

async function runLocal({
  port,
  apiPort = portAfter(port),
  workers,
  allowHost = [],
  stateDir,
  ...model
}: Options): Promise<void> {
  const workerEnvironment = {
    ...modelEnvironment(model),
    ALLOWED_HOSTS: allowHost.join(','),
    SOURCE_BUCKETS: 'labelqueue',
  };
  // A wrong host shall show here, not only in the workers' log.
  classifierSettingsFrom(workerEnvironment);
  // So must a limit on open files that its workers inherit.
  connectionsAllowed();
  const dataDir = join(stateDir, 'local');
  mkdirSync(dataDir, { recursive: true });
  const logPath = join(dataDir, 'workers.log');
  using log = openWorkerLog(logPath, notice);
  const { startLocalService } = await import('../local/local-service.ts');
  const service = await startLocalService({
    port,
    dataDir,
    workers,
    workerEnvironment,
    apiPort,
    onLog: (text) => log.write(text),
    onFunctionError: (error) => printNote(`function: ${error.message}\n`),
    onNotice: notice,
  }).catch((error: unknown) => {
    throw isPortInUse(error, apiPort)
      ? new CommandError(`port ${apiPort} is in use: name another one with --api-port`)
      : error;
  });
  // Before anything is printed: whoever reads it may end it at once.
  const interrupted = untilInterrupted();
  printNote(
    `${workers} ${workers === 1 ? 'worker is' : 'workers are'} ready; their log is ${relative(process.cwd(), logPath)}\n` +
      `the HTTP API is at ${service.apiAddress}; ${service.apiAddress}/openapi.json describes it\n` +
      'Ctrl-C ends it. Other terminals find it by themselves in this project; other programs need these:\n\n',
  );
  for (const [name, value] of Object.entries(service.aws.environment)) print(`export ${name}=${value}\n`);
  const unpublish = publishService(dataDir, service.aws.environment);
  try {
    await Promise.race([interrupted, service.ended()]);
    printNote('\nfinishing in-flight work… Ctrl-C again ends at once; what is left goes on at the next start\n');
  } finally {
    unpublish();
    await service.stop();
  }
}

function notice(text: string): void {
  printNote(`labelqueue: ${text}\n`);
}

function portAfter(port: number): number {
  return port === 0 || port === 65_535 ? 0 : port + 1;
}

function isPortInUse(error: unknown, port: number): boolean {
  return (
    Error.isError(error) && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error && error.port === port
  );
}
