/**
 * `labelqueue work` without the command line, for packages, EC2 instances and containers. All settings are variables,
 * see `work-settings.ts` and `docs/work.md`; logs are JSON lines on standard output. Ends with 0 after a signal, a Spot notice or an
 * empty queue, and with 1 on failure.
 */
import { awsFailureText } from '../shared/contract/aws-failures.ts';
import { UserError } from '../shared/contract/user-error.ts';
import { visibleText } from '../shared/contract/visible-text.ts';
import { fileFailureText } from '../shared/runtime/file-failure.ts';
import { runWork } from './run-work.ts';
import { firstSignal } from './stop-signals.ts';
import { jsonLog } from './work-log.ts';
import { workSettingsFrom } from './work-settings.ts';

try {
  const settings = workSettingsFrom(process.env);
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  await runWork({
    settings,
    environment: process.env,
    stop: firstSignal(),
    log: jsonLog(settings.serviceName, print),
    onWorkerLine: print,
  });
  process.exitCode = 0;
} catch (error) {
  process.stderr.write(visibleText(`labelqueue: ${failureText(error)}\n`));
  process.exitCode = 1;
}

/** One line for user errors; the stack trace for bugs. */
function failureText(error: unknown): string {
  if (error instanceof UserError) return error.message;
  if (!Error.isError(error)) return String(error);
  const expected = awsFailureText(error) ?? fileFailureText(error);
  if (expected !== undefined) return expected;
  return 'syscall' in error ? `${error.name}: ${error.message}` : (error.stack ?? error.message);
}
