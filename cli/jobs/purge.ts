import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import type { JobRun } from '../../shared/contract/job-run.ts';
import { isCancelled, readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { hasFiles, msUntilUploadsUnused, purgeJob } from '../../shared/jobs/purge-job.ts';
import { sampledLines } from '../../shared/jobs/sample-parts.ts';
import { counted } from '../terminal/counted.ts';
import { interruptible, rerunCommand } from '../terminal/interruption.ts';
import { onTerminal, print, printNote, progressStream } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { isFinished, requireJobStatus, targetFromEnvironment } from './job-target.ts';

/** Removes all files of a job, after confirmation. */
export async function purge(job: string, { yes }: { yes?: true }): Promise<void> {
  const target = targetFromEnvironment();
  let advice = 'nothing was removed; to start over';
  const signal = interruptible(() => `interrupted: ${advice}: ${rerunCommand()}`);
  const description = await readJob(target, job);
  if (description === undefined && !(await hasFiles(target, job))) throw new NoSuchJobError(target, job);
  if (description !== undefined) await checkHasEnded(target, description);
  if (!yes && !(await confirmed(await questionOf(target, job, description), signal))) {
    throw new CommandError('nothing was removed');
  }
  await workersHaveStopped(target, job, signal);
  advice = 'some files were removed; to remove the rest';
  const { files } = await purgeJob(target, job);
  print(`job ${job}: ${counted(files, 'file')} removed\n`);
}

/** A job that is cancelled needs no count. */
async function checkHasEnded(target: JobTarget, of: JobRun): Promise<void> {
  if (await isCancelled(target, of)) return;
  const status = await requireJobStatus(target, of.job);
  if (isFinished(status)) return;
  throw new CommandError(`the job ${of.job} is ${status.state}: cancel it before you purge it`);
}

async function workersHaveStopped(target: JobTarget, job: string, signal: AbortSignal): Promise<void> {
  const ms = await msUntilUploadsUnused(target, job, Date.now());
  if (ms === 0) return;
  printNote(`waiting ${Math.ceil(ms / 1_000)} s: workers may still read the uploaded images of ${job}\n`);
  await delay(ms, undefined, { signal });
}

async function questionOf(target: JobTarget, job: string, description: JobDescription | undefined): Promise<string> {
  if (description === undefined) {
    return `Remove all files of ${job}, which was purged before or not enqueued with this command?`;
  }
  const results = await sampledLines(target, 'results', description);
  return `Remove all files of ${job}, including ${results.isEstimate ? 'about ' : ''}${counted(results.lines, 'result')}?`;
}

async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  if (!onTerminal.input) throw new CommandError('not a terminal: pass --yes to confirm');
  const terminal = createInterface({ input: process.stdin, output: progressStream() });
  // readline reads the terminal in raw mode and so receives Ctrl-C itself.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    terminal.close();
  }
}
