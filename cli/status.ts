import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import { Command } from 'commander';
import { FINAL, type JobStatus, jobStatus } from '../shared/jobs/job-status.ts';
import { listJobs } from '../shared/jobs/job-store.ts';
import type { JobTarget } from '../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../shared/jobs/outcome-counter.ts';
import { computingText } from './cost-text.ts';
import { counted } from './counted.ts';
import { NO_LINES_BETWEEN_ROWS } from './demo-table.ts';
import { duration } from './dry-run-text.ts';
import { failureHints } from './failure-hints.ts';
import { hasEnded, knownJobStatus, targetFromEnvironment } from './job-target.ts';
import { jobName, jsonOption } from './options.ts';
import { createRedraw, print, readerGone } from './terminal.ts';

const WATCH_MS = 2_000;
/** For all jobs together; one that would need more shows as running, until it is asked for by its name. */
const READ_IDS_MS = 10_000;

type Options = { watch?: true; json?: true };

export function statusCommand(): Command {
  return new Command('status')
    .description('Tells how far a job is; without a job, lists all.')
    .argument('[job]', 'its name, as `labelqueue enqueue` printed it', jobName)
    .option('--watch', 'again and again, until the job has ended; without a job, until Ctrl-C')
    .addOption(jsonOption())
    .action(run);
}

async function run(job: string | undefined, { watch, json }: Options): Promise<void> {
  const target = targetFromEnvironment();
  const counter = new OutcomeCounter(target);
  const look = async (): Promise<Look> => {
    if (job === undefined) return { text: await jobList(target, json === true), ended: false };
    const status = await knownJobStatus(target, job, { counter });
    return { text: json ? `${JSON.stringify(status)}\n` : statusText(status), ended: hasEnded(status) };
  };
  const show = watch && !json ? createRedraw() : print;
  for (;;) {
    const { text, ended } = await look();
    show(text);
    if (!watch || ended || readerGone.aborted) return;
    await delay(WATCH_MS);
  }
}

/** What is to be shown, and whether it stays so. */
type Look = { text: string; ended: boolean };

export function statusText(status: JobStatus): string {
  const { queue } = status;
  const codes = Object.entries(status.failedByCode).sort(([, one], [, other]) => other - one);
  return `${[
    `job         ${status.job}: ${status.state}`,
    `enqueued    ${status.enqueued}`,
    `classified  ${status.classified}`,
    `failed      ${status.failed}${codes.map(([code, count]) => `\n  ${String(count).padStart(8)}  ${code}`).join('')}`,
    `${status.state === 'cancelled' ? 'cancelled ' : 'to go     '}  ${status.toGo}`,
    ...speedLines(status),
    `cost so far ${costText(status)}`,
    ...failureHints(Object.keys(status.failedByCode)).split('\n').filter(Boolean),
    ...nextSteps(status),
    `all jobs    ${queue.waiting} messages waiting, ${queue.inFlight} in flight, ${queue.retrying} waiting for a retry, ${queue.deadLetters} in the DLQ`,
  ].join('\n')}\n`;
}

function costText({ costSoFarUsd, classified, failed, computing }: JobStatus): string {
  const dollars = `$${costSoFarUsd.toFixed(4)}`;
  return classified + failed === 0 ? dollars : `${dollars} at list prices: ${computingText(computing)}`;
}

function speedLines({ state, imagesPerSecond, secondsLeft, toGo }: JobStatus): string[] {
  if (FINAL.has(state)) return [];
  const left = secondsLeft === undefined || toGo === 0 ? '' : `, about ${duration(secondsLeft)} left`;
  return [`speed       ${imagesPerSecond.toFixed(1)} images/s${left}`];
}

/** What the job waits for, if that is not a worker. */
function nextSteps(status: JobStatus): string[] {
  if (status.state === 'failed while enqueuing') return [`next        ${howToGoOn(status)}`];
  return waitsForRetries(status)
    ? [`waits       ${counted(status.toGo, 'image')} ${status.toGo === 1 ? 'waits for its' : 'wait for their'} retry`]
    : [];
}

/** No message of any job is waiting or in flight: what remains of this one must be among those that are delayed. */
function waitsForRetries({ state, toGo, queue }: JobStatus): boolean {
  return state === 'running' && toGo > 0 && queue.retrying > 0 && queue.waiting === 0 && queue.inFlight === 0;
}

/** For a job of which not all images were sent. */
export function howToGoOn({ job }: JobStatus): string {
  return `to send the others: labelqueue enqueue … --job ${job} --resume, with the source and options of the first time`;
}

async function jobList(target: JobTarget, json: boolean): Promise<string> {
  const jobs = await listJobs(target);
  const statuses: JobStatus[] = [];
  const signal = AbortSignal.timeout(READ_IDS_MS);
  for (const job of jobs) {
    const status = await jobStatus(target, job, new Date(), { signal });
    if (status !== undefined) statuses.push(status);
  }
  if (json) return `${JSON.stringify(statuses)}\n`;
  if (statuses.length === 0) return 'no jobs yet: labelqueue enqueue makes one\n';
  const head = ['job', 'state', 'enqueued', 'classified', 'failed', 'to go'];
  const table = new Table({ head, style: { head: [], border: [] }, chars: NO_LINES_BETWEEN_ROWS });
  for (const { job, state, enqueued, classified, failed, toGo } of statuses) {
    table.push([job, state, enqueued, classified, failed, toGo]);
  }
  return `${table.toString()}\n`;
}
