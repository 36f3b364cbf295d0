import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import pMap from 'p-map';
import { type JobStatus, jobStatus, queueDepths } from '../shared/jobs/job-status.ts';
import { cancellations, listJobs } from '../shared/jobs/job-store.ts';
import type { JobTarget } from '../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../shared/jobs/outcome-counter.ts';
import { computingText } from './cost-text.ts';
import { counted } from './counted.ts';
import { NO_LINES_BETWEEN_ROWS } from './demo-table.ts';
import { duration } from './dry-run-text.ts';
import { failureHints } from './failure-hints.ts';
import { hasEnded, knownJobStatus, targetFromEnvironment } from './job-target.ts';
import { createRedraw, print, readerGone } from './terminal.ts';

const WATCH_MS = 2_000;
/** For all jobs together; one that would need more shows as running, until it is asked for by its name. */
const COUNT_ALL_MS = 10_000;
/** Each has two requests under way as a rule, and the SDK has 50 connections. */
const JOBS_AT_ONCE = 24;

type Options = { watch?: true; json?: true };

/** Prints how far a job is, or without a name, all of them; with `watch` until it has ended. */
export async function showStatus(job: string | undefined, { watch, json }: Options): Promise<void> {
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

/** Of a job that another producer has put on the queue. */
const NOT_KNOWN = 'not known: not with this command';

function about({ countsAreEstimates }: JobStatus, count: number): string {
  return countsAreEstimates ? `~${count}` : String(count);
}

export function statusText(status: JobStatus): string {
  const { queue } = status;
  const codes = Object.entries(status.failedByCode).sort(([, one], [, other]) => other - one);
  return `${[
    `job         ${status.job}: ${status.state}`,
    `enqueued    ${status.enqueued ?? NOT_KNOWN}`,
    `classified  ${about(status, status.classified)}`,
    `failed      ${about(status, status.failed)}${codes.map(([code, count]) => `\n  ${String(count).padStart(8)}  ${code}`).join('')}`,
    ...(status.toGo === undefined
      ? []
      : [`${status.state === 'cancelled' ? 'cancelled ' : 'to go     '}  ${about(status, status.toGo)}`]),
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

/** None of a job that has ended or stopped moving: it goes at no speed. */
function speedLines({ imagesPerSecond, secondsLeft, toGo = 0 }: JobStatus): string[] {
  if (imagesPerSecond === 0) return [];
  const left = secondsLeft === undefined || toGo === 0 ? '' : `, about ${duration(secondsLeft)} left`;
  return [`speed       ${imagesPerSecond.toFixed(1)} images/s${left}`];
}

/** What the job waits for, if that is not a worker. */
function nextSteps(status: JobStatus): string[] {
  const { toGo = 0 } = status;
  if (status.state === 'failed while enqueuing') return [`next        ${howToGoOn(status)}`];
  return waitsForRetries(status)
    ? [`waits       ${counted(toGo, 'image')} ${toGo === 1 ? 'waits for its' : 'wait for their'} retry`]
    : [];
}

/** No message of any job is waiting or in flight: what remains of this one must be among those that are delayed. */
function waitsForRetries({ state, toGo = 0, queue }: JobStatus): boolean {
  return state === 'running' && toGo > 0 && queue.retrying > 0 && queue.waiting === 0 && queue.inFlight === 0;
}

/** For a job of which not all images were sent. */
export function howToGoOn({ job }: JobStatus): string {
  return `to send the others: labelqueue enqueue … --job ${job} --resume, with the source and options of the first time`;
}

async function jobList(target: JobTarget, json: boolean): Promise<string> {
  const statuses = await allStatuses(target);
  if (json) return `${JSON.stringify(statuses)}\n`;
  if (statuses.length === 0) return 'no jobs yet: labelqueue enqueue makes one\n';
  const head = ['job', 'state', 'enqueued', 'classified', 'failed', 'to go'];
  const table = new Table({ head, style: { head: [], border: [] }, chars: NO_LINES_BETWEEN_ROWS });
  for (const status of statuses) {
    const { job, state, enqueued, classified, failed, toGo } = status;
    const counts = [classified, failed, toGo].map((count) => (count === undefined ? '-' : about(status, count)));
    table.push([job, state, enqueued ?? '-', ...counts]);
  }
  return `${table.toString()}\n`;
}

/** In the order of their names. What is the same for all is asked for once. */
async function allStatuses(target: JobTarget): Promise<JobStatus[]> {
  const signal = AbortSignal.timeout(COUNT_ALL_MS);
  const queue = queueDepths(target);
  queue.catch(() => undefined);
  const [jobs, cancelled] = await Promise.all([listJobs(target), cancellations(target)]);
  const statusOf = (job: string) => jobStatus(target, job, new Date(), { signal, queue, cancelled });
  const statuses = await pMap(jobs, statusOf, { concurrency: JOBS_AT_ONCE });
  return statuses.filter((status) => status !== undefined);
}
