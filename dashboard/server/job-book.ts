import pMap from 'p-map';
import { JOB_NAME } from '../../shared/contract/job-name.ts';
import { UserError } from '../../shared/contract/user-error.ts';
import type { JobStatus } from '../../shared/jobs/job-status.ts';
import { cancellations, listJobs } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { JobRow } from '../contract/jobs.ts';
import { displayText } from './display-text.ts';
import { activeAt } from './job-rows.ts';
import { type LookContext, WatchedJob } from './watched-job.ts';

/** How often the names of jobs and the marks of cancelled ones are listed. */
const LIST_EVERY_MS = 10_000;
/** How often an inactive job is polled: SQS's counts are approximate. */
const QUIET_EVERY_MS = 30_000;
/** At most this many active jobs are polled each time; the others take turns. */
const MOVING_PER_LOOK = 8;
/** Finished jobs that are polled again per listing, in turn, because a redrive is not announced. */
const ENDED_PER_LISTING = 5;
/** Each usually has two requests in flight, and the SDK has 50 connections. */
const JOBS_AT_ONCE = 24;
/** Tracked file names of all jobs together: about 140 MB. Jobs that ended first are dropped first. */
const MAX_TRACKED_FILES = 200_000;
/** Maximum number of rows sent to a page. */
const MAX_ROWS = 500;

export type PollContext = {
  queue: JobStatus['queue'];
  now: Date;
  /** Jobs that are open in a page. */
  open: ReadonlySet<string>;
  /** Called when some of many jobs are known. */
  onProgress: () => void;
};

/** An error of one job, e.g. an edited `job.json`, must not hide the others. */
async function lookAt(job: WatchedJob, context: LookContext): Promise<void> {
  try {
    await job.look(context);
    job.failure = undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    job.failure = displayText(error.message);
  }
}

/** All jobs of a bucket, each polled as often as it may have changed. */
export class JobBook {
  readonly #target: JobTarget;
  readonly #jobs = new Map<string, WatchedJob>();
  #listedAt = Number.NEGATIVE_INFINITY;
  #cancelled: Awaited<ReturnType<typeof cancellations>> | undefined;
  #wasBusy = false;
  readonly #due = new Set<string>();

  constructor(target: JobTarget) {
    this.#target = target;
  }

  /** Call it after a change by this process: names, marks and this job are polled next. */
  hasChanged(job: string): void {
    this.#listedAt = Number.NEGATIVE_INFINITY;
    this.#due.add(job);
  }

  get(job: string): WatchedJob | undefined {
    return this.#jobs.get(job);
  }

  all(): WatchedJob[] {
    return [...this.#jobs.values()];
  }

  /** The most recently active first. */
  rows(): { jobs: JobRow[]; moreJobs: number } {
    const rows = this.all().flatMap(({ row }) => row ?? []);
    rows.sort((one, other) => activeAt(other) - activeAt(one) || (one.job < other.job ? -1 : 1));
    return { jobs: rows.slice(0, MAX_ROWS), moreJobs: Math.max(0, rows.length - MAX_ROWS) };
  }

  async look(look: PollContext): Promise<void> {
    const isListed = look.now.getTime() - this.#listedAt >= LIST_EVERY_MS;
    if (isListed) await this.#list(look.now);
    const { waiting, inFlight, retrying } = look.queue;
    const isBusy = waiting + inFlight + retrying > 0;
    const due = this.#dueJobs(look, isBusy || this.#wasBusy, isListed);
    this.#wasBusy = isBusy;
    const cancelled = this.#cancelled ?? (await cancellations(this.#target));
    const context = { queue: Promise.resolve(look.queue), cancelled, now: look.now };
    await pMap(
      due,
      async (job) => {
        await lookAt(job, context);
        this.#due.delete(job.job);
        if (due.length > MOVING_PER_LOOK) look.onProgress();
      },
      { concurrency: JOBS_AT_ONCE },
    );
    this.#forgetFiles(look.open);
  }

  #forgetFiles(open: ReadonlySet<string>): void {
    let tracked = this.all().reduce((sum, { files }) => sum + (files?.size ?? 0), 0);
    if (tracked <= MAX_TRACKED_FILES) return;
    const ended = this.all().filter(({ job, row, files }) => row?.hasEnded && files !== undefined && !open.has(job));
    const lastActive = ({ row }: WatchedJob) => (row === undefined ? 0 : activeAt(row));
    for (const job of ended.sort((one, other) => lastActive(one) - lastActive(other))) {
      if (tracked <= MAX_TRACKED_FILES) return;
      tracked -= job.files?.size ?? 0;
      job.forgetFiles();
    }
  }

  async #list(now: Date): Promise<void> {
    const [names, cancelled] = await Promise.all([listJobs(this.#target), cancellations(this.#target)]);
    this.#cancelled = cancelled;
    const there = new Set(names.filter((name) => JOB_NAME.test(name)));
    for (const name of this.#jobs.keys()) if (!there.has(name)) this.#jobs.delete(name);
    for (const name of there) if (!this.#jobs.has(name)) this.#jobs.set(name, new WatchedJob(this.#target, name));
    this.#listedAt = now.getTime();
  }

  /** @param mayMove there are messages, or were at the last poll, so outcomes may have been written since */
  #dueJobs({ now, open }: PollContext, mayMove: boolean, isListed: boolean): WatchedJob[] {
    const all = this.all();
    const due = new Set(all.filter(({ lookedAt, job }) => lookedAt === 0 || this.#due.has(job)));
    const byAge = all.filter((job) => !due.has(job)).sort((one, other) => one.lookedAt - other.lookedAt);
    const moving = byAge.filter(({ row }) => row !== undefined && !row.hasEnded);
    const isQuiet = ({ lookedAt }: WatchedJob) => now.getTime() - lookedAt < QUIET_EVERY_MS;
    const isActive = ({ row }: WatchedJob) => mayMove || row?.state === 'enqueuing';
    for (const job of moving.filter((one) => isActive(one) || !isQuiet(one)).slice(0, MOVING_PER_LOOK)) due.add(job);
    for (const job of byAge.filter(({ job }) => open.has(job) && (mayMove || isListed))) due.add(job);
    if (isListed) for (const job of byAge.filter(({ row }) => row?.hasEnded).slice(0, ENDED_PER_LISTING)) due.add(job);
    // A person waits for these.
    return [...due].sort((one, other) => Number(open.has(other.job)) - Number(open.has(one.job)));
  }
}
