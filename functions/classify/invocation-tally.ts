import type { TimedStage } from '../../shared/classifier/classify-image.ts';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { OutcomePlan } from './plan-outcomes.ts';

/** Images and messages of one invocation by outcome; the names are those of the log line. */
export type InvocationCounts = {
  classified: number;
  failed: number;
  retried: number;
  cancelled: number;
  putOff: number;
  decodeLater: number;
  notReached: number;
  unreadable: number;
  unsettled: number;
};

/**
 * Images whose times one invocation reports to CloudWatch: a metric in a log line takes 100 values, and a sample gives the
 * same percentiles.
 */
const MAX_VALUES = 99;
/** Job names per log line. */
const MAX_JOBS = 5;

/** Adds up one invocation, so that it needs one log line and one set of metrics. */
export class InvocationTally {
  readonly counts: InvocationCounts = {
    classified: 0,
    failed: 0,
    retried: 0,
    cancelled: 0,
    putOff: 0,
    decodeLater: 0,
    notReached: 0,
    unreadable: 0,
    unsettled: 0,
  };
  readonly #jobs = new Set<string>();
  /** Number of failed images by error code. */
  readonly failureCodes = new Map<ErrorCode, number>();
  readonly #retryCodes = new Map<ErrorCode, number>();
  readonly fetch = new Sample();
  readonly decode = new Sample();
  /** Per batch, not per image. */
  readonly inference = new Sample();
  readonly batchSize = new Sample();

  /** `infer` is left out: it includes the wait for a batch, see {@link batch}. */
  stage(stage: TimedStage, milliseconds: number): void {
    if (stage !== 'infer') this[stage].add(milliseconds);
  }

  batch(images: number, milliseconds: number): void {
    this.batchSize.add(images);
    this.inference.add(milliseconds);
  }

  settled({ message, results, failures, retries, retryCodes, ...others }: OutcomePlan): void {
    const { counts } = this;
    if (this.#jobs.size < MAX_JOBS) this.#jobs.add(message.job);
    counts.classified += results.length;
    counts.failed += failures.length;
    counts.retried += imagesIn(retries);
    counts.cancelled += others.cancelled;
    counts.putOff += imagesIn(others.putOff);
    counts.decodeLater += others.decodeLater.images.length;
    counts.notReached += others.notReached.length;
    for (const { line } of failures) addTo(this.failureCodes, line.error.code, 1);
    for (const [code, images] of retryCodes) addTo(this.#retryCodes, code, images);
  }

  /** The fields of the log line; times are means in milliseconds per image. */
  line(): Record<string, unknown> {
    return {
      jobs: [...this.#jobs],
      ...this.counts,
      failureCodes: Object.fromEntries(this.failureCodes),
      retryCodes: Object.fromEntries(this.#retryCodes),
      stageMs: {
        fetch: rounded(this.fetch.mean),
        decode: rounded(this.decode.mean),
        inference: rounded(this.batchSize.sum === 0 ? 0 : this.inference.sum / this.batchSize.sum),
      },
    };
  }
}

/** Sums up values and keeps a uniform sample of them (reservoir sampling). */
export class Sample {
  readonly values: number[] = [];
  sum = 0;
  #count = 0;

  add(value: number): void {
    this.sum += value;
    this.#count++;
    if (this.values.length < MAX_VALUES) {
      this.values.push(rounded(value));
      return;
    }
    const place = Math.floor(Math.random() * this.#count);
    if (place < MAX_VALUES) this.values[place] = rounded(value);
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.sum / this.#count;
  }
}

function addTo(counts: Map<ErrorCode, number>, code: ErrorCode, images: number): void {
  counts.set(code, (counts.get(code) ?? 0) + images);
}

function imagesIn(byDelay: OutcomePlan['retries']): number {
  return [...byDelay.values()].reduce((sum, images) => sum + images.length, 0);
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
