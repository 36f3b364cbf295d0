import { join, relative } from 'node:path';
import { publishService } from '../../local/running-service.ts';
import { localWebhookSecret } from '../../local/webhook-secret.ts';
import { openWorkerLog } from '../../local/worker-log.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { makeFolder } from '../../shared/runtime/make-folder.ts';
import { connectionsAllowed } from '../../shared/runtime/open-files.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import { exporterOf } from '../dashboard/dashboard-export.ts';
import { LOCAL_ADDRESS_VARIABLE } from '../local-environment.ts';
import { type ModelOptions, modelEnvironment } from '../options.ts';
import { untilInterrupted } from '../terminal/interruption.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { CommandError, failureText } from '../terminal/user-errors.ts';
import { checkEmbeddings } from './embedding-check.ts';
import { localMetrics } from './local-metrics.ts';

type Options = ModelOptions & {
  port: number;
  apiPort?: number;
  workers: number;
  allowHost?: string[];
  embedding?: true;
  stateDir: string;
  allowChanges?: boolean;
};

/** Runs SQS, S3, the workers, the dashboard and the HTTP API until it is interrupted. */
export async function runLocal({
  port,
  apiPort = portAfter(port),
  workers,
  allowHost = [],
  embedding,
  stateDir,
  allowChanges = false,
  ...model
}: Options): Promise<void> {
  const workerEnvironment = {
    ...modelEnvironment(model),
    ALLOWED_HOSTS: allowHost.join(','),
    SOURCE_BUCKETS: 'labelqueue',
    ...(embedding && { EMBEDDING: '1' }),
  };
  // A wrong host must be reported here, not only in the worker log.
  const settings = classifierSettingsFrom({ ...process.env, ...workerEnvironment });
  if (settings.embedding) await checkEmbeddings(settings);
  // The same holds for a limit on open files that workers inherit.
  connectionsAllowed();
  const dataDir = join(stateDir, 'local');
  makeFolder(dataDir);
  const logPath = join(dataDir, 'workers.log');
  using log = openWorkerLog(logPath, notice);
  const webhooks = localWebhookSecret(dataDir);
  const metrics = localMetrics();
  const { startLocalService } = await import('../../local/local-service.ts');
  const service = await startLocalService({
    port,
    dataDir,
    workers,
    workerEnvironment,
    apiPort,
    webhookSecret: webhooks.secret,
    dashboard: {
      version: packageJson.version,
      allowsChanges: allowChanges,
      exporterOf,
      onUnexpectedError: (error) => notice(failureText(error)),
      metrics: metrics.text,
    },
    onLog: (text) => log.write(text),
    onFunctionError: (error) => printNote(`function: ${error.message}\n`),
    onNotice: notice,
    watch: metrics,
  }).catch((error: unknown) => {
    throw isPortInUse(error, apiPort)
      ? new CommandError(`port ${apiPort} is already in use; choose another with --api-port`)
      : error;
  });
  // Before anything is printed, because readers of the output may stop the command at once.
  const interrupted = untilInterrupted();
  printNote(
    `the dashboard is at ${service.apiAddress}/\n` +
      `${workers} ${workers === 1 ? 'worker is' : 'workers are'} ready; log: ${relative(process.cwd(), logPath)}\n` +
      `the HTTP API is at ${service.apiAddress}; ${service.apiAddress}/openapi.json describes it\n` +
      `metrics for Prometheus are at ${service.apiAddress}/metrics\n` +
      signedWith(webhooks) +
      'Press Ctrl-C to stop. Commands in this project find the service by themselves;\nother programs need these variables:\n\n',
  );
  for (const [name, value] of Object.entries(service.aws.environment)) print(`export ${name}=${value}\n`);
  const unpublish = publishService(dataDir, {
    ...service.aws.environment,
    [LOCAL_ADDRESS_VARIABLE]: service.apiAddress ?? '',
  });
  try {
    await Promise.race([interrupted, service.ended()]);
    printNote('\nfinishing in-flight work… Press Ctrl-C again to exit at once; the rest continues at the next start\n');
  } finally {
    unpublish();
    await service.stop();
  }
}

/** Printed once; later it is found in its file. */
function signedWith({ secret, isNew, path }: ReturnType<typeof localWebhookSecret>): string {
  return isNew
    ? `webhooks of \`enqueue --notify\` are signed with ${secret}, stored in ${relative(process.cwd(), path)}\n`
    : '';
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
