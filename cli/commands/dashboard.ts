import { Command, Option } from 'commander';
import { allowHostOption, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

const DEFAULT_PORT = 4_568;

export function dashboardCommand(): Command {
  return new Command('dashboard')
    .description('Serve a page with the queue, the jobs and the dead letters, until Ctrl-C.')
    .option('--port <n>', 'where the page is served; 0 for any free port', wholeNumber(0, 65_535), DEFAULT_PORT)
    .option('--host <name>', 'the address to listen on; any but those of this machine alone needs --token', '127.0.0.1')
    .addOption(
      new Option('--token <token>', 'what a visitor must have, at least 16 characters').env(
        'LABELQUEUE_DASHBOARD_TOKEN',
      ),
    )
    .addOption(allowChangesOption())
    .option('--open', 'open the page in a browser')
    .addOption(allowHostOption())
    .addHelpText(
      'after',
      `
The page asks SQS and S3 only while it is open in a browser, once for all who look.
Pictures are fetched with the care of the worker; for s3:// URLs set SOURCE_BUCKETS.`,
    )
    .action(whenRun(async () => (await import('../dashboard/dashboard.ts')).runDashboard));
}

/** `--allow-changes`, on each command that serves the dashboard. */
export function allowChangesOption(): Option {
  return new Option(
    '--allow-changes',
    'the page may redrive and delete dead letters, and cancel jobs (default: it only shows)',
  );
}
