import { setTimeout as delay } from 'node:timers/promises';
import { type JobStatus, queueDepths } from '../../shared/jobs/job-status.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { Snapshot } from '../contract/events.ts';
import type { History } from '../contract/queue.ts';
import type { Environment } from '../contract/session.ts';
import type { Range } from '../contract/units.ts';
import { bucketsOf } from './buckets.ts';
import { ServiceConnection } from './connection.ts';
import { problemsOf } from './health.ts';
import { historyOf } from './history.ts';
import type { Insight } from './insight.ts';
import { JobBook } from './job-book.ts';
import { LastInsight } from './last-insight.ts';
import { lastMinute } from './last-minute.ts';
import { MessageSamples } from './message-samples.ts';
import { queueFigures } from './queue-figures.ts';
import { isOfService } from './service-away.ts';

/** Minimum pause between two polls. A longer poll is followed by a pause of its own length. */
const PAUSE_MS = 2_000;
/** While many jobs are polled for the first time, progress is published at most this often. */
const PROGRESS_MS = 300;

export type WatchOptions = {
  target: JobTarget;
  environment: Environment;
  allowsChanges: boolean;
  insight?: Insight;
  /** Called with unexpected errors; the watch continues. */
  onUnexpectedError: (error: unknown) => void;
  /** Milliseconds between two polls. */
  pauseMs?: number;
};

/** An open page; `onLook` is called when something may have changed. */
export type Viewer = { job?: string; onLook: () => void };

/** Polls the queue and the bucket once for all open pages, and not at all without one. */
export class Watch {
  readonly book: JobBook;
  readonly #options: WatchOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #sqs = new ServiceConnection();
  readonly #s3 = new ServiceConnection();
  readonly #samples = new MessageSamples();
  readonly #insight: LastInsight;
  #depths: JobStatus['queue'] | undefined;
  #askedAt: number | null = null;
  #untakenSince: number | undefined;
  #stillSince: number | undefined;
  #settledImages = 0;
  #snapshot: Snapshot | undefined;
  #running: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();
  #progressAt = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.book = new JobBook(options.target);
    this.#insight = new LastInsight(options.insight);
  }

  /** The result of the last poll; undefined before the first. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** @returns leaves; polling stops with the last viewer */
  join(viewer: Viewer): () => void {
    this.#viewers.add(viewer);
    this.#start();
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#stop();
    };
  }

  /** Polls at once, after a change by this process. */
  lookAgain(job: string): void {
    this.book.hasChanged(job);
    if (this.#running === undefined) return;
    this.#stop();
    this.#start();
  }

  async history(range: Range): Promise<History> {
    const now = Date.now();
    const remembered = await this.#insight.samples(range, bucketsOf(range, now));
    // Samples of this process are newer, and come last.
    return historyOf({ range, now, jobs: this.book.all(), samples: [...remembered, ...this.#samples.all] });
  }

  /** Resolves when no poll is running any more. */
  async close(): Promise<void> {
    this.#viewers.clear();
    this.#stop();
    await this.#loop;
  }

  #start(): void {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    this.#running = running;
    // Nothing was observed in between.
    this.#untakenSince = undefined;
    this.#stillSince = undefined;
    // One loop at a time: the last poll of the previous loop may still be running.
    this.#loop = this.#loop.then(() => this.#lookUntil(running.signal));
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  async #lookUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now();
      // A rejection here would end the process, which may serve the queue itself.
      await this.#look().catch(this.#options.onUnexpectedError);
      const pause = Math.max(this.#options.pauseMs ?? PAUSE_MS, performance.now() - began);
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const now = new Date();
    await Promise.all([this.#lookAtQueue(now), this.#insight.ask(now.getTime())]);
    // The first listing may be slow, and so may an unreachable bucket.
    if (this.#s3.state.state !== 'connected') this.#publish(now);
    await this.#lookAtJobs(now);
    this.#observe(now.getTime());
    this.#publish(now);
  }

  async #lookAtQueue(now: Date): Promise<void> {
    try {
      this.#depths = await queueDepths(this.#options.target);
      this.#askedAt = now.getTime();
      this.#sqs.answered(Date.now());
    } catch (error) {
      this.#sqs.failed(error, Date.now());
    }
  }

  async #lookAtJobs(now: Date): Promise<void> {
    const queue = this.#depths ?? { waiting: 0, inFlight: 0, retrying: 0, deadLetters: 0 };
    const open = new Set([...this.#viewers].flatMap(({ job }) => job ?? []));
    const onProgress = () => {
      if (Date.now() - this.#progressAt < PROGRESS_MS) return;
      this.#progressAt = Date.now();
      this.#publish(now);
    };
    try {
      await this.book.look({ queue, now, open, onProgress });
      this.#s3.answered(Date.now());
    } catch (error) {
      this.#s3.failed(error, Date.now());
      if (!isOfService(error)) this.#options.onUnexpectedError(error);
    }
  }

  /** Tracks conditions that are only a problem when they last. */
  #observe(now: number): void {
    const { waiting = 0, inFlight = 0, retrying = 0, deadLetters = 0 } = this.#depths ?? {};
    if (this.#sqs.state.state !== 'connected') return;
    this.#untakenSince = waiting > 0 && inFlight === 0 ? (this.#untakenSince ?? now) : undefined;
    const settled = this.book.all().reduce((sum, { row }) => sum + settledOf(row), 0);
    const isStill = waiting + inFlight > 0 && settled === this.#settledImages;
    this.#stillSince = isStill ? (this.#stillSince ?? now) : undefined;
    this.#settledImages = settled;
    const ageSeconds = this.#insight.facts.oldestMessageAgeSeconds;
    this.#samples.add({ at: now, waiting, inFlight, delayed: retrying, dead: deadLetters, ageSeconds });
  }

  #publish(now: Date): void {
    this.#snapshot = this.#snapshotAt(now.getTime());
    for (const { onLook } of this.#viewers) onLook();
  }

  #snapshotAt(at: number): Snapshot {
    const jobs = this.book.all();
    const minute = lastMinute(jobs, at);
    const { stages, alarms } = this.#insight.facts;
    const { environment, allowsChanges } = this.#options;
    const depths = this.#depths;
    const queue = queueFigures({ depths, askedAt: this.#askedAt, facts: this.#insight.facts, minute, jobs });
    const connections = { sqs: this.#sqs.state, s3: this.#s3.state };
    const snapshot = { at, environment, allowsChanges, connections, queue, ...this.book.rows(), stages, alarms };
    const { recentlyClassified, recentlyFailed } = minute;
    const [untakenSince, stillSince] = [this.#untakenSince, this.#stillSince];
    return {
      ...snapshot,
      problems: problemsOf({
        snapshot,
        untakenSince,
        stillSince,
        recentlyClassified,
        recentlyFailed,
        unreadable: jobs.flatMap(({ job, failure }) => (failure === undefined ? [] : { job, reason: failure })),
      }),
    };
  }
}

function settledOf(row: Snapshot['jobs'][number] | undefined): number {
  return (row?.classifiedImages ?? 0) + (row?.failedImages ?? 0);
}
