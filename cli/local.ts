import { createWriteStream, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { startLocalService } from '../local/local-service.ts';
import { allowHostOption, wholeNumber } from './options.ts';
import { STATE } from './project-folder.ts';

const DEFAULT_PORT = 4_566;
type Options = { port: number; workers: number; allowHost?: string[] };

export function localCommand(): Command {
  return new Command('local')
    .description('Runs SQS, S3 and the workers on this machine until Ctrl-C; queues and results stay.')
    .option('--port <n>', 'where SQS and S3 listen, on 127.0.0.1', wholeNumber(0, 65_535), DEFAULT_PORT)
    .option('--workers <n>', 'execution environments (default: one a core)', wholeNumber(1, 64), availableParallelism())
    .addOption(allowHostOption())
    .action(runLocal);
}

async function runLocal({ port, workers, allowHost = [] }: Options): Promise<void> {
  const dataDir = join(STATE, 'local');
  mkdirSync(dataDir, { recursive: true });
  const logPath = join(dataDir, 'workers.log');
  const log = createWriteStream(logPath, { flags: 'a' });
  const service = await startLocalService({
    port,
    dataDir,
    workers,
    workerEnvironment: { ALLOWED_HOSTS: allowHost.join(','), SOURCE_BUCKETS: 'labelqueue' },
    onLog: (text) => log.write(text),
    onFunctionError: (error) => process.stderr.write(`worker: ${error.message}\n`),
  });
  process.stderr.write(
    `${workers} ${workers === 1 ? 'worker is' : 'workers are'} ready; their log is ${relative(process.cwd(), logPath)}\n` +
      'Ctrl-C ends it. For another terminal:\n\n',
  );
  for (const [name, value] of Object.entries(service.aws.environment))
    process.stdout.write(`export ${name}=${value}\n`);
  await Promise.race([interrupted(), service.ended()]);
  process.stderr.write('\nfinishing what is in hand …\n');
  await service.stop();
  log.end();
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
