import { createInterface } from 'node:readline/promises';
import { type JobStatus, jobStatus } from '../shared/jobs/job-status.ts';
import { NoSuchJobError } from '../shared/jobs/outcomes/outcome-errors.ts';
import { hasFiles, purgeJob } from '../shared/jobs/purge-job.ts';
import { counted } from './counted.ts';
import { CommandError } from './expected-failures.ts';
import { interruptible, sameCommand } from './interruption.ts';
import { hasEnded, targetFromEnvironment } from './job-target.ts';
import { drawingSurface, onTerminal, print } from './terminal.ts';

/** Removes all files of a job, once that is confirmed. */
export async function purge(job: string, { yes }: { yes?: true }): Promise<void> {
  const target = targetFromEnvironment();
  let advice = 'nothing was removed; to begin again';
  const signal = interruptible(() => `interrupted: ${advice}: ${sameCommand()}`);
  const status = await jobStatus(target, job, new Date());
  if (status === undefined && !(await hasFiles(target, job))) throw new NoSuchJobError(target, job);
  if (status !== undefined && !hasEnded(status))
    throw new CommandError(`the job ${job} is ${status.state}: cancel it before you purge it`);
  if (!yes && !(await confirmed(questionOf(job, status), signal))) {
    throw new CommandError('nothing was removed');
  }
  advice = 'what was removed stays removed; to remove the others';
  const { files } = await purgeJob(target, job);
  print(`job ${job}: ${counted(files, 'file')} removed\n`);
}

function questionOf(job: string, status: JobStatus | undefined): string {
  return status === undefined
    ? `Remove all files of ${job}, which was purged before or not enqueued with this command?`
    : `Remove all files of ${job}, ${counted(status.classified, 'result')} among them?`;
}

async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  if (!onTerminal.input) throw new CommandError('expected a terminal to ask on, or --yes');
  const terminal = createInterface({ input: process.stdin, output: drawingSurface() });
  // It takes the keys of the terminal, Ctrl-C among them.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    terminal.close();
  }
}
