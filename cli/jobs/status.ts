import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../../dashboard/page/numbers.js';
import type { JobStatus } from '../../shared/jobs/job-status.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { counted } from '../terminal/counted.ts';
import { failureHints } from '../terminal/failure-hints.ts';
import { createRedraw, outputClosed, print } from '../terminal/terminal.ts';
import { computingText } from './cost-text.ts';
import { countText } from './count-text.ts';
import { isFinished, requireJobStatus, targetFromEnvironment } from './job-target.ts';

const WATCH_MS = 2_000;

type Options = { watch?: true; json?: true };

/** Prints the progress of a job, or of all jobs; with `watch` until the job has ended. */
export async function showStatus(job: string | undefined, { watch, json }: Options): Promise<void> {
  const target = targetFromEnvironment();
  const counter = new OutcomeCounter(target);
  const look = async (): Promise<Look> => {
    if (job === undefined) {
      // The status of one job needs no table.
      const { jobList } = await import('./job-list.ts');
      return { text: await jobList(target, json === true), ended: false };
    }
    const status = await requireJobStatus(target, job, { counter });
    return { text: json ? `${JSON.stringify(status)}\n` : statusText(status), ended: isFinished(status) };
  };
  const show = watch && !json ? createRedraw() : print;
  for (;;) {
    const { text, ended } = await look();
    show(text);
    if (!watch || ended || outputClosed.aborted) return;
    await delay(WATCH_MS);
  }
}

/** The text to show, and whether it is final. */
type Look = { text: string; ended: boolean };

/** Of a job that another producer has put on the queue. */
const NOT_KNOWN = 'unknown (not enqueued with this command)';

export function statusText(status: JobStatus): string {
  const { queue } = status;
  const codes = Object.entries(status.failedByCode).sort(([, one], [, other]) => other - one);
  return `${[
    `job         ${status.job}: ${status.state}`,
    `enqueued    ${status.enqueued ?? NOT_KNOWN}`,
    `classified  ${countText(status, status.classified)}`,
    `failed      ${countText(status, status.failed)}${codes.map(([code, count]) => `\n  ${String(count).padStart(8)}  ${code}`).join('')}`,
    ...(status.remaining === undefined
      ? []
      : [`${status.state === 'cancelled' ? 'cancelled ' : 'remaining '}  ${countText(status, status.remaining)}`]),
    ...speedLines(status),
    `cost so far ${costText(status)}`,
    ...failureHints(Object.keys(status.failedByCode)).split('\n').filter(Boolean),
    ...nextSteps(status),
    `all jobs    ${counted(queue.waiting, 'message')} waiting, ${queue.inFlight} in flight, ${queue.retrying} waiting for a retry, ${queue.deadLetters} in the DLQ`,
  ].join('\n')}\n`;
}

function costText({ costSoFarUsd, classified, failed, computing }: JobStatus): string {
  const dollars = `$${costSoFarUsd.toFixed(4)}`;
  return classified + failed === 0 ? dollars : `${dollars} at list prices: ${computingText(computing)}`;
}

/** None for a job that has ended or makes no progress. */
function speedLines({ imagesPerSecond, secondsLeft, remaining = 0 }: JobStatus): string[] {
  if (imagesPerSecond === 0) return [];
  const left = secondsLeft === undefined || remaining === 0 ? '' : `, about ${formatDuration(secondsLeft)} left`;
  return [`speed       ${imagesPerSecond.toFixed(1)} images/s${left}`];
}

/** What the job waits for, if not for a worker. */
function nextSteps(status: JobStatus): string[] {
  const { remaining = 0 } = status;
  if (status.state === 'failed while enqueuing') return [`next        ${resumeHint(status)}`];
  if (status.stranded !== undefined) return [`stranded    ${strandedText(status.job, status.stranded)}`];
  return waitsForRetries(status) ? [`waiting     for the retry of ${counted(remaining, 'image')}`] : [];
}

function strandedText(job: string, images: number): string {
  const without = `${counted(images, 'image')} without an outcome: SQS moved the messages to the DLQ`;
  return `${without}; labelqueue wait ${job} counts them as failed, labelqueue redrive ${job} sends them again`;
}

/** No message of any job is waiting or in flight: so the remaining images of this job are in delayed messages. */
function waitsForRetries({ state, remaining = 0, queue }: JobStatus): boolean {
  return state === 'running' && remaining > 0 && queue.retrying > 0 && queue.waiting === 0 && queue.inFlight === 0;
}

/** For a job of which not all images were sent. */
export function resumeHint({ job }: JobStatus): string {
  return `to send the rest: labelqueue enqueue … --job ${job} --resume, with the same source and options`;
}
