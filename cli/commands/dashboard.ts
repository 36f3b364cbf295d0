import { Command, Option } from 'commander';
import { allowHostOption, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

const DEFAULT_PORT = 4_568;

export function dashboardCommand(): Command {
  return new Command('dashboard')
    .description('Serve a page with the queue, the jobs and the dead letters, until Ctrl-C.')
    .option('--port <n>', 'port of the page; 0 for any free port', wholeNumber(0, 65_535), DEFAULT_PORT)
    .option('--host <name>', 'address to listen on; one that other machines can reach requires --token', '127.0.0.1')
    .addOption(
      new Option('--token <token>', 'token that visitors must present, at least 16 characters').env(
        'LABELQUEUE_DASHBOARD_TOKEN',
      ),
    )
    .addOption(allowChangesOption())
    .option('--open', 'open the page in a browser')
    .addOption(allowHostOption())
    .addHelpText(
      'after',
      `
SQS and S3 are polled only while the page is open in a browser, once for all
visitors. Pictures are fetched by the same rules as in the worker; for s3:// URLs,
set SOURCE_BUCKETS.`,
    )
    .action(whenRun(async () => (await import('../dashboard/dashboard.ts')).runDashboard));
}

/** `--allow-changes`, on each command that serves the dashboard. */
export function allowChangesOption(): Option {
  return new Option(
    '--allow-changes',
    'let visitors redrive and delete dead letters, and cancel jobs (default: read-only)',
  );
}
