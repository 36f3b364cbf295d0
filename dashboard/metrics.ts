import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ERROR_CODES } from '../shared/contract/error-codes.ts';
import { DrainEstimate } from './metrics-drain.ts';
import {
  type ImageOutcome,
  type JobReading,
  MESSAGE_OUTCOMES,
  type MetricsReading,
  QUEUE_STATES,
  type TimedStage,
  type WorkerFacts,
} from './metrics-reading.ts';
import { MonotonicTotals } from './metrics-totals.ts';

/** Each job has several series, which Prometheus keeps for weeks, and the number of job names is unlimited. */
export const MAX_JOBS_WITH_SERIES = 20;
/** The code of failures with an unknown code. */
const OTHER = 'other';
/** Pairs of processor and model; more are certainly a mistake. */
const MAX_WORKER_KINDS = 20;
/** Seconds: from decoding a small photo to a fetch that times out after waiting in the queue. */
const STAGE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The metrics of labelqueue in Prometheus' text format; `docs/metrics.md` describes each. Every process that serves
 * `/metrics` has one instance, passes its values, and gets the text at each scrape.
 */
export class LabelqueueMetrics {
  readonly #registry = new Registry();
  readonly #made = metricsOf(this.#registry);
  readonly #totals = new MonotonicTotals();
  readonly #drain = new DrainEstimate();
  readonly #workers = new Set<string>();

  /**
   * All series exist from the start: one that appears with its first event hides that event from `rate()` and
   * `increase()`.
   */
  constructor() {
    const { images, messages } = this.#made;
    for (const outcome of ['classified', 'sent_on', 'cancelled'] satisfies ImageOutcome[]) images.inc({ outcome }, 0);
    for (const [code, { retryable }] of [...Object.entries(ERROR_CODES), [OTHER, { retryable: true }] as const]) {
      images.inc({ outcome: 'failed', code }, 0);
      if (retryable) images.inc({ outcome: 'retried', code }, 0);
    }
    for (const outcome of MESSAGE_OUTCOMES) messages.inc({ outcome }, 0);
  }

  /** Records the time of an image, or of a batch, in a stage. */
  observeStage(stage: TimedStage, seconds: number): void {
    this.#made.stages.observe({ stage }, seconds);
  }

  /** Records the processor and model of a worker. */
  addWorker({ processor, model }: WorkerFacts): void {
    const kind = JSON.stringify([processor, model]);
    if (!this.#workers.has(kind) && this.#workers.size >= MAX_WORKER_KINDS) return;
    this.#workers.add(kind);
    this.#made.worker.set({ processor, model }, 1);
  }

  /**
   * @param reading the values known now
   * @param now milliseconds since 1970
   */
  async text(reading: MetricsReading, now: number = Date.now()): Promise<string> {
    this.#takeQueue(reading, now);
    this.#takeTotals(reading);
    this.#takeJobs(reading.jobs ?? []);
    return this.#registry.metrics();
  }

  /** An unknown gauge must not keep its last value. */
  #takeQueue({ queue, oldestMessageAgeSeconds }: MetricsReading, now: number): void {
    const { up, depth, oldest, drain } = this.#made;
    oldest.remove();
    drain.remove();
    depth.reset();
    up.set(queue === undefined ? 0 : 1);
    if (queue === undefined) return;
    for (const state of QUEUE_STATES) depth.set({ state }, queue[state]);
    if (oldestMessageAgeSeconds !== undefined) oldest.set(oldestMessageAgeSeconds);
    const seconds = this.#drain.seconds(queue.waiting + queue.in_flight + queue.delayed, now);
    if (seconds !== undefined) drain.set(seconds);
  }

  #takeTotals({ images = [], messages, workerErrors, costUsd }: MetricsReading): void {
    const { images: imagesTotal, messages: messagesTotal, errors, cost } = this.#made;
    for (const { outcome, code, total } of addedUp(images)) {
      const labels = code === undefined ? { outcome } : { outcome, code };
      imagesTotal.inc(labels, this.#totals.growth(`images ${outcome} ${code}`, total));
    }
    for (const outcome of MESSAGE_OUTCOMES) {
      messagesTotal.inc({ outcome }, this.#totals.growth(`messages ${outcome}`, messages?.[outcome]));
    }
    errors.inc(this.#totals.growth('errors', workerErrors));
    cost.inc(this.#totals.growth('cost', costUsd));
  }

  #takeJobs(jobs: readonly JobReading[]): void {
    const { jobs: gauge } = this.#made;
    gauge.reset();
    for (const { job: job_name, classified, failed, remaining } of jobs.slice(0, MAX_JOBS_WITH_SERIES)) {
      gauge.set({ job_name, state: 'classified' }, classified);
      gauge.set({ job_name, state: 'failed' }, failed);
      if (remaining !== undefined) gauge.set({ job_name, state: 'remaining' }, remaining);
    }
  }
}

/** Several codes may be `other`. */
function addedUp(images: NonNullable<MetricsReading['images']>): NonNullable<MetricsReading['images']> {
  const sums = new Map<string, NonNullable<MetricsReading['images']>[number]>();
  for (const { outcome, code: given, total } of images) {
    const code = given === undefined ? undefined : knownCode(given);
    const key = `${outcome} ${code}`;
    sums.set(key, { outcome, ...(code !== undefined && { code }), total: total + (sums.get(key)?.total ?? 0) });
  }
  return [...sums.values()];
}

/** Codes also come from part keys and logs, which are untrusted. */
function knownCode(code: string): string {
  return Object.hasOwn(ERROR_CODES, code) ? code : OTHER;
}

function metricsOf(registry: Registry) {
  const registers = [registry];
  return {
    up: new Gauge({ name: 'labelqueue_queue_up', help: 'Whether SQS answered at this scrape: 1 or 0.', registers }),
    depth: new Gauge({
      name: 'labelqueue_queue_messages',
      help: 'Messages in the queue by state, and in the dead-letter queue (dead). Not images.',
      labelNames: ['state'],
      registers,
    }),
    oldest: new Gauge({
      name: 'labelqueue_queue_oldest_message_age_seconds',
      help: 'Age of the oldest message in the queue; 0 when it is empty.',
      registers,
    }),
    drain: new Gauge({
      name: 'labelqueue_queue_time_to_drain_seconds',
      help: 'Time until the queue is empty, at the rate of the last five minutes; +Inf while it does not shrink.',
      registers,
    }),
    images: new Counter({
      name: 'labelqueue_images_total',
      help: 'Images by outcome; failed and retried ones also by error code.',
      labelNames: ['outcome', 'code'],
      registers,
    }),
    messages: new Counter({
      name: 'labelqueue_messages_total',
      help: 'Messages that workers received, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    errors: new Counter({
      name: 'labelqueue_worker_errors_total',
      help: 'Invocations of workers that ended without a response.',
      registers,
    }),
    stages: new Histogram({
      name: 'labelqueue_stage_duration_seconds',
      help: 'Time per image in a stage, per batch in inference; a sample of at most 99 per stage and invocation.',
      labelNames: ['stage'],
      buckets: STAGE_BUCKETS,
      registers,
    }),
    worker: new Gauge({
      name: 'labelqueue_worker_info',
      help: 'Processors and models of the workers that have reported them; always 1.',
      labelNames: ['processor', 'model'],
      registers,
    }),
    cost: new Counter({
      name: 'labelqueue_cost_usd_total',
      help: "Computing time of the workers at AWS Lambda's list price, in US dollars.",
      registers,
    }),
    jobs: new Gauge({
      name: 'labelqueue_job_images',
      help: `Images of the ${MAX_JOBS_WITH_SERIES} newest jobs by state.`,
      // Prometheus has a label of its own called `job`, and would rename ours.
      labelNames: ['job_name', 'state'],
      registers,
    }),
  };
}
