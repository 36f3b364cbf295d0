import { setTimeout as delay } from 'node:timers/promises';
import type { JobStatus } from '../shared/jobs/job-status.ts';
import { OutcomeCounter } from '../shared/jobs/outcome-counter.ts';
import { counted } from './counted.ts';
import { EXIT } from './exit-codes.ts';
import { CommandError } from './expected-failures.ts';
import { interruptible, sameCommand } from './interruption.ts';
import { hasEnded, knownJobStatus, targetFromEnvironment } from './job-target.ts';
import { MovedMessages } from './moved-messages.ts';
import { startProgress } from './progress.ts';
import { howToGoOn, statusText } from './status.ts';
import { print } from './terminal.ts';

const SHORTEST_PAUSE_MS = 1_000;

/** Waits until a job has ended, prints its status and sets the exit code. */
export async function waitForEnd(job: string, { timeout, json }: { timeout?: number; json?: true }): Promise<void> {
  const target = targetFromEnvironment();
  const signal = interruptible(() => `interrupted: the job ${job} goes on; to wait again: ${sameCommand()}`);
  const giveUpAt = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1_000;
  const counter = new OutcomeCounter(target);
  let status = await knownJobStatus(target, job, { counter });
  if (status.state === 'unknown') throw new CommandError(whyNoEnd(status));
  const moved = new MovedMessages(target);
  let lookMs = 0;
  const progress = startProgress('settled', status.enqueued ?? 0);
  while (!hasEnded(status)) {
    const hasChanged = await moved.settle(status);
    if (!hasChanged && Date.now() >= giveUpAt) {
      progress.stop();
      throw new CommandError(
        `the job ${job} is ${status.state} after ${timeout} s: ${counted(status.toGo ?? 0, 'image')} to go`,
      );
    }
    // A large job takes long to look at, and each look costs: half of the time is enough.
    if (!hasChanged) await delay(Math.max(SHORTEST_PAUSE_MS, lookMs), undefined, { signal });
    const started = performance.now();
    status = await knownJobStatus(target, job, { counter });
    lookMs = performance.now() - started;
    progress.update(status.classified + status.failed);
  }
  progress.stop();
  print(json ? `${JSON.stringify(status)}\n` : statusText(status));
  if (status.state === 'failed while enqueuing') throw new CommandError(whyNotFinished(status));
  if (status.state !== 'completed') process.exitCode = EXIT.finishedWithFailures;
}

/** It may still have images on the queue, but it cannot be completed by them alone. */
function whyNotFinished(status: JobStatus): string {
  const { job, enqueued = 0, toGo = 0 } = status;
  const sent = `${counted(enqueued, 'image')} sent, ${toGo} of them to go`;
  return `the job ${job} failed while enqueuing, so there is no end to wait for: ${sent}; ${howToGoOn(status)}`;
}

function whyNoEnd({ job, classified, failed }: JobStatus): string {
  return `the job ${job} was not enqueued with this command, so that its number of images is not known, and there is no end to wait for: ${counted(classified, 'image')} classified, ${failed} failed so far`;
}
