import { spawn } from 'node:child_process';
import { isIPv4 } from 'node:net';
import type { Command } from 'commander';
import type { Environment } from '../../dashboard/contract/session.ts';
import type { DashboardOptions } from '../../dashboard/server/app.ts';
import type { Insight } from '../../dashboard/server/insight.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { hostOf } from '../../shared/contract/urls.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import { settingsFromEnvironment } from '../jobs/job-target.ts';
import { LOCAL_ADDRESS_VARIABLE } from '../local-environment.ts';
import { untilInterrupted } from '../terminal/interruption.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { CommandError, failureText } from '../terminal/user-errors.ts';
import { exporterOf } from './dashboard-export.ts';

type Options = {
  port: number;
  host: string;
  token?: string;
  allowChanges?: boolean;
  open?: true;
  allowHost?: string[];
};

/** Too long to be guessed. */
const MIN_TOKEN_CHARS = 16;

/** Serves the dashboard until it is interrupted. */
export async function runDashboard({ port, open, ...options }: Options, command: Command): Promise<void> {
  const { stack } = command.optsWithGlobals<{ stack?: string }>();
  const { startDashboard } = await import('../../dashboard/server/dashboard-server.ts');
  const server = await startDashboard({ port, ...(await dashboardOptions(options, stack)) });
  const address = `${server.address}${options.token === undefined ? '' : `?token=${encodeURIComponent(options.token)}`}`;
  // Before anything is printed: a reader may end it at once.
  const interrupted = untilInterrupted();
  print(`the dashboard is at ${address}\n`);
  printNote(
    `${options.allowChanges ? '' : 'read-only; to redrive, delete and cancel, start it with --allow-changes\n'}Press Ctrl-C to stop\n`,
  );
  if (open) openInBrowser(address);
  try {
    await interrupted;
  } finally {
    await server.stop();
  }
}

async function dashboardOptions(
  { host, token, allowChanges = false, allowHost }: Omit<Options, 'port' | 'open'>,
  stack: string | undefined,
): Promise<DashboardOptions> {
  checkAccess(host, token);
  const settings = settingsFromEnvironment();
  const classifier = classifierSettingsFrom({
    ...process.env,
    ...(allowHost !== undefined && { ALLOWED_HOSTS: allowHost.join(',') }),
  });
  const { dashboardTarget, patientTarget } = await import('../../dashboard/server/dashboard-target.ts');
  const changesTarget = patientTarget(settings, {});
  const environment = environmentOf(process.env, stack, settings.queueUrl);
  const insight = await insightOf(environment, stack, settings);
  return {
    target: dashboardTarget(settings, {}),
    changesTarget,
    environment,
    version: packageJson.version,
    allowsChanges: allowChanges,
    host,
    ...(token !== undefined && { token }),
    classifier,
    exportOutcomes: exporterOf(changesTarget),
    ...(insight !== undefined && { insight }),
    onUnexpectedError: (error) => printNote(`labelqueue: ${failureText(error)}\n`),
  };
}

/** Other machines may only have access with a token. */
function checkAccess(host: string, token: string | undefined): void {
  if (host.trim() === '') throw new CommandError('expected a host name or an address after --host, got nothing');
  if (token === undefined && !isLoopback(host)) {
    throw new CommandError(
      `other machines can reach ${host}: expected --token, or LABELQUEUE_DASHBOARD_TOKEN, of at least ${MIN_TOKEN_CHARS} characters`,
    );
  }
  if (token !== undefined && !/^[\x21-\x7e]{16,200}$/.test(token)) {
    throw new CommandError(
      `expected a token of ${MIN_TOKEN_CHARS} to 200 characters, printable ASCII without spaces, e.g. what \`openssl rand -hex 16\` prints`,
    );
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The environment for the badge: name and kind. */
export function environmentOf(variables: NodeJS.ProcessEnv, stack: string | undefined, queueUrl: string): Environment {
  const { AWS_ENDPOINT_URL: endpointUrl, AWS_REGION, AWS_DEFAULT_REGION } = variables;
  const endpoint = endpointUrl ? hostOf(endpointUrl) : null;
  const isHere =
    stack === undefined && endpoint !== null && isLoopback(endpoint.replace(/:\d+$/, '').replaceAll(/[[\]]/g, ''));
  if (isHere) return { name: 'this machine', kind: 'local', region: null, endpoint };
  const name = stack ?? queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
  const kind = /(^|[^a-z])prod(uction)?([^a-z]|$)/i.test(name) ? 'prod' : 'dev';
  return { name, kind, region: AWS_REGION || AWS_DEFAULT_REGION || null, endpoint };
}

async function insightOf(
  { kind, endpoint }: Environment,
  stack: string | undefined,
  settings: { queueUrl: string; deadLetterQueueUrl: string },
): Promise<Insight | undefined> {
  const localAddress = process.env[LOCAL_ADDRESS_VARIABLE];
  if (kind === 'local') {
    if (!localAddress) return undefined;
    const { serviceInsight } = await import('../../dashboard/server/service-insight.ts');
    return serviceInsight(localAddress);
  }
  // Other services that implement SQS and S3 have no CloudWatch.
  if (endpoint !== null) return undefined;
  const { cloudWatchInsight } = await import('../../dashboard/server/cloudwatch-insight.ts');
  return cloudWatchInsight({ ...settings, ...(stack !== undefined && { stack }) });
}

const OPENERS: Partial<Record<NodeJS.Platform, [command: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Without a browser, the printed address has to do. */
function openInBrowser(address: string): void {
  const [opener, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(opener, [...args, address], { stdio: 'ignore', detached: true });
  child.once('error', () => printNote(`no browser could be opened: there is no ${opener}\n`));
  child.unref();
}
