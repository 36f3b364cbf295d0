import { setTimeout as delay } from 'node:timers/promises';
import { readEndRecord } from '../../shared/jobs/end-record.ts';
import type { JobStatus } from '../../shared/jobs/job-status.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { counted } from '../terminal/counted.ts';
import { EXIT } from '../terminal/exit-codes.ts';
import { interruptible, rerunCommand } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';
import { print } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { isFinished, requireJobStatus, targetFromEnvironment } from './job-target.ts';
import { MovedMessages } from './moved-messages.ts';
import { resumeHint, statusText } from './status.ts';

const SHORTEST_PAUSE_MS = 1_000;
/** A job that takes at most this long to count is counted regularly, whether or not its end is announced. */
const CHEAP_LOOK_MS = 1_000;
/** Where the end is announced, one request per second finds it: a count is only for the progress bar. */
const COUNTS_TAKE_A_SHARE_OF = 20;
const LONGEST_PAUSE_MS = 30_000;

/** Waits until a job has ended, prints its status and sets the exit code. */
export async function waitForEnd(job: string, { timeout, json }: { timeout?: number; json?: true }): Promise<void> {
  const target = targetFromEnvironment();
  const signal = interruptible(() => `interrupted: the job ${job} continues; to wait again: ${rerunCommand()}`);
  const giveUpAt = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1_000;
  const counter = new OutcomeCounter(target);
  let started = performance.now();
  let status = await requireJobStatus(target, job, { counter });
  if (status.state === 'unknown') throw new CommandError(whyNoEnd(status));
  const moved = new MovedMessages(target);
  const progress = startProgress('settled', status.enqueued ?? 0);
  while (!isFinished(status)) {
    const lookMs = performance.now() - started;
    const hasChanged = await moved.settle(status);
    if (!hasChanged && Date.now() >= giveUpAt) {
      progress.stop();
      throw new CommandError(
        `timeout after ${timeout} s: the job ${job} is ${status.state}, ${counted(status.remaining ?? 0, 'image')} remaining`,
      );
    }
    if (!hasChanged) await pauseOrEnd(target, status, { lookMs, giveUpAt, signal });
    started = performance.now();
    status = await requireJobStatus(target, job, { counter });
    progress.update(status.classified + status.failed);
  }
  progress.stop();
  print(json ? `${JSON.stringify(status)}\n` : statusText(status));
  if (status.state === 'failed while enqueuing') throw new CommandError(whyNotFinished(status));
  if (status.state !== 'completed') process.exitCode = EXIT.finishedWithFailures;
}

type Pause = { lookMs: number; giveUpAt: number; signal: AbortSignal };

/**
 * Counting a large job is slow and each count costs requests: at most half of the time is spent on it, or less where
 * the end is announced.
 */
async function pauseOrEnd(
  target: JobTarget,
  { job, run }: JobStatus,
  { lookMs, giveUpAt, signal }: Pause,
): Promise<void> {
  if (target.jobEndQueueUrl === undefined || lookMs < CHEAP_LOOK_MS) {
    return delay(Math.max(SHORTEST_PAUSE_MS, lookMs), undefined, { signal });
  }
  const until = Math.min(giveUpAt, Date.now() + Math.min(LONGEST_PAUSE_MS, COUNTS_TAKE_A_SHARE_OF * lookMs));
  do {
    await delay(SHORTEST_PAUSE_MS, undefined, { signal });
    if ((await readEndRecord(target, { job, run })).record?.state === 'ended') return;
  } while (Date.now() < until);
}

/** The job may still have images on the queue, but they alone cannot complete it. */
function whyNotFinished(status: JobStatus): string {
  const { job, enqueued = 0, remaining = 0 } = status;
  const sent = `${counted(enqueued, 'image')} sent, ${remaining} remaining`;
  return `the job ${job} failed while enqueuing and cannot finish: ${sent}; ${resumeHint(status)}`;
}

function whyNoEnd({ job, classified, failed }: JobStatus): string {
  return `the job ${job} was not enqueued with this command: its number of images is unknown, so it cannot be waited for; ${counted(classified, 'image')} classified, ${failed} failed so far`;
}
