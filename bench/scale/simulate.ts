import TinyQueue from 'tinyqueue';
import { MAX_BATCH_ENTRIES, MIN_IMAGES_FOR_OWN_PART } from '../../shared/contract/limits.ts';
import { ASSUMPTIONS } from './assumptions.ts';
import { RateLimiter } from './rate-limiter.ts';
import { assertBatchFitsInvocation, type Bound, concurrencyOf, fullBatch, type Scenario } from './scenario.ts';

/** How things were at a moment, in seconds from the start. */
export type Sample = { seconds: number; concurrency: number; imagesDone: number; imagesWaiting: number };

export type Outcome = {
  seconds: number;
  imagesDone: number;
  invocations: number;
  coldStarts: number;
  /** Of all invocations together, cold starts included. */
  lambdaSeconds: number;
  /** Hours of provisioned pollers; 0 on demand. */
  pollerHours: number;
  peakConcurrency: number;
  /** How long each bound was what kept the job from going faster; together they are `seconds`. */
  boundSeconds: ReadonlyMap<Bound, number>;
  /** The bound of the most time. */
  bottleneck: Bound;
  /** Of whole seconds, those left out in which nothing changed, and of the end. */
  samples: readonly Sample[];
  /** When each batch was taken, in seconds from the start, rising. */
  batchStarts: readonly number[];
};

type Invocation = { end: number; messages: number; images: number };
/** Why no batch can start now, and from when on one may, if no invocation ends before. */
type Constraint = { bound: Bound; until: number };

/** Two moments, or two shares of an environment, that are closer than this are the same. */
const SAME = 1e-6;

/**
 * Plays a job through: whenever something may change (an invocation ends, pollers scale up, messages arrive,
 * a rate limit allows more), as many batches start as can, and what keeps the next one from it is noted until then.
 * Deterministic.
 *
 * @throws {RangeError} when a full batch takes longer than an invocation may
 */
export function simulate(scenario: Scenario): Outcome {
  assertBatchFitsInvocation(scenario);
  const job = new Job(scenario);
  for (;;) {
    job.finishWhatIsDue();
    if (job.isDone) return job.outcome();
    const constraint = job.constraint();
    if (constraint === undefined) job.startBatch();
    else job.waitFor(constraint);
  }
}

class Job {
  readonly #scenario: Scenario;
  readonly #messages: number;
  readonly #fullBatch: number;
  readonly #concurrency: ReturnType<typeof concurrencyOf>;

  #now = 0;
  #taken = 0;
  #inFlight = 0;
  #imagesDone = 0;
  readonly #running = new TinyQueue<Invocation>([], (one, other) => one.end - other.end);
  #warm = 0;
  /** How long pollers have been scaling up. */
  #scalingSeconds = 0;
  #gatheringSince: number | undefined;
  readonly #polls = new RateLimiter(0);
  readonly #environments = new RateLimiter(10);
  readonly #writes: RateLimiter;

  #invocations = 0;
  #coldStarts = 0;
  #lambdaSeconds = 0;
  #pollerSeconds = 0;
  #peakConcurrency = 0;
  readonly #boundSeconds = new Map<Bound, number>();
  readonly #samples: Sample[] = [];
  readonly #batchStarts: number[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#messages = Math.ceil(scenario.images / scenario.imagesPerMessage);
    this.#fullBatch = fullBatch(scenario);
    this.#concurrency = concurrencyOf(scenario);
    // A worker writes all through its invocation, not at its end.
    this.#writes = new RateLimiter(this.#fullBatch * scenario.imagesPerMessage * scenario.secondsPerImage);
  }

  get isDone(): boolean {
    return this.#taken === this.#messages && this.#running.length === 0;
  }

  finishWhatIsDue(): void {
    for (let next = this.#running.peek(); next !== undefined && next.end <= this.#now; next = this.#running.peek()) {
      this.#running.pop();
      this.#inFlight -= next.messages;
      this.#imagesDone += next.images;
      this.#warm += 1;
    }
  }

  /** Undefined when a batch can start. */
  constraint(): Constraint | undefined {
    return (
      this.#missingMessages() ??
      this.#missingConcurrency() ??
      this.#openWindow() ??
      this.#fullQueue() ??
      this.#limited(this.#environments, 'new environments', this.#warm > 0 ? 0 : this.#secondsOfEnvironment()) ??
      this.#limited(this.#polls, 'throughput of the pollers', this.#secondsOfPolls()) ??
      this.#limited(this.#writes, 'S3 writes', this.#secondsOfWrites())
    );
  }

  startBatch(): void {
    const messages = this.#nextBatch();
    const images = this.#imagesOf(messages);
    const cold = this.#warm === 0;
    if (cold) this.#environments.use(this.#now, this.#secondsOfEnvironment());
    this.#polls.use(this.#now, this.#secondsOfPolls());
    this.#writes.use(this.#now, this.#secondsOfWrites());
    const seconds = images * this.#scenario.secondsPerImage + (cold ? this.#scenario.coldStartSeconds : 0);
    this.#running.push({ end: this.#now + seconds, messages, images });
    if (cold) this.#coldStarts += 1;
    else this.#warm -= 1;
    this.#batchStarts.push(this.#now);
    this.#taken += messages;
    this.#inFlight += messages;
    this.#gatheringSince = undefined;
    this.#invocations += 1;
    this.#lambdaSeconds += seconds;
    this.#peakConcurrency = Math.max(this.#peakConcurrency, this.#running.length);
  }

  waitFor({ bound, until }: Constraint): void {
    const next = Math.min(until, this.#running.peek()?.end ?? Number.POSITIVE_INFINITY);
    this.#sampleUntil(next);
    const seconds = next - this.#now;
    this.#pollerSeconds += seconds * this.#pollers();
    this.#boundSeconds.set(bound, (this.#boundSeconds.get(bound) ?? 0) + seconds);
    if (bound === 'scaling up' || bound === 'throughput of the pollers') this.#scalingSeconds += seconds;
    this.#now = next;
  }

  outcome(): Outcome {
    this.#sampleAt(this.#now);
    const [longest] = [...this.#boundSeconds].toSorted(([, one], [, other]) => other - one);
    return {
      seconds: this.#now,
      imagesDone: this.#imagesDone,
      invocations: this.#invocations,
      coldStarts: this.#coldStarts,
      lambdaSeconds: this.#lambdaSeconds,
      pollerHours: this.#pollerSeconds / 3_600,
      peakConcurrency: this.#peakConcurrency,
      boundSeconds: this.#boundSeconds,
      bottleneck: longest?.[0] ?? 'the last invocations',
      samples: this.#samples,
      batchStarts: this.#batchStarts,
    };
  }

  #missingMessages(): Constraint | undefined {
    if (this.#taken === this.#messages) return { bound: 'the last invocations', until: Number.POSITIVE_INFINITY };
    if (this.#arrived() > this.#taken) return undefined;
    return { bound: 'enqueueing', until: this.#arrivalOf(this.#taken + 1) };
  }

  #missingConcurrency(): Constraint | undefined {
    const { start, perSecond, cap } = this.#concurrency;
    const busy = this.#running.length;
    if (busy >= cap.most) return { bound: cap.bound, until: Number.POSITIVE_INFINITY };
    const missing = busy + 1 - (start + perSecond * this.#scalingSeconds);
    return missing <= SAME ? undefined : { bound: 'scaling up', until: this.#now + missing / perSecond };
  }

  /** A batch that is not full waits for its window, and for the messages that would fill it. */
  #openWindow(): Constraint | undefined {
    const { batchWindowSeconds } = this.#scenario;
    if (batchWindowSeconds === 0 || this.#nextBatch() === this.#fullBatch) return undefined;
    this.#gatheringSince ??= this.#now;
    const ends = this.#gatheringSince + batchWindowSeconds;
    if (this.#now >= ends) return undefined;
    return { bound: 'the batching window', until: Math.min(ends, this.#arrivalOf(this.#taken + this.#fullBatch)) };
  }

  #fullQueue(): Constraint | undefined {
    if (this.#inFlight + this.#nextBatch() <= ASSUMPTIONS.messagesInFlight.value) return undefined;
    return { bound: 'messages in flight', until: Number.POSITIVE_INFINITY };
  }

  #limited(limiter: RateLimiter, bound: Bound, seconds: number): Constraint | undefined {
    if (seconds === 0) return undefined;
    const until = limiter.allowedAt(this.#now, seconds);
    return until <= this.#now + SAME ? undefined : { bound, until };
  }

  #secondsOfEnvironment(): number {
    return 10 / ASSUMPTIONS.environmentsPerTenSeconds.value;
  }

  /** What the next batch takes of all pollers together. */
  #secondsOfPolls(): number {
    if (this.#scenario.pollers.kind === 'on demand') return 0;
    const messages = this.#nextBatch();
    const ofBytes = (messages * this.#scenario.bytesPerMessage) / ASSUMPTIONS.bytesPerSecondPerPoller.value;
    const ofRequests = Math.ceil(messages / MAX_BATCH_ENTRIES) / ASSUMPTIONS.pollsPerSecondPerPoller.value;
    return Math.max(ofBytes, ofRequests) / this.#pollers();
  }

  #secondsOfWrites(): number {
    const parts = this.#scenario.imagesPerMessage >= MIN_IMAGES_FOR_OWN_PART ? this.#nextBatch() : 1;
    return parts / ASSUMPTIONS.putsPerSecond.value;
  }

  #pollers(): number {
    const { pollers } = this.#scenario;
    if (pollers.kind === 'on demand') return 0;
    const { start, perSecond } = this.#concurrency;
    const scaled = (start + perSecond * this.#scalingSeconds) / ASSUMPTIONS.concurrencyPerPoller.value;
    return Math.min(pollers.maximum, scaled);
  }

  #nextBatch(): number {
    return Math.min(this.#fullBatch, this.#arrived() - this.#taken);
  }

  /** Of the next so many messages: the last one of a job has what is left. */
  #imagesOf(messages: number): number {
    const { images, imagesPerMessage } = this.#scenario;
    return Math.min(images, (this.#taken + messages) * imagesPerMessage) - this.#taken * imagesPerMessage;
  }

  #arrived(): number {
    const { enqueuedPerSecond, images, imagesPerMessage } = this.#scenario;
    if (enqueuedPerSecond === undefined) return this.#messages;
    const sent = this.#now * enqueuedPerSecond + SAME;
    return sent >= images ? this.#messages : Math.floor(sent / imagesPerMessage);
  }

  /** When the message of this number, from 1, is there; never, when there is none. */
  #arrivalOf(number: number): number {
    if (number > this.#messages) return Number.POSITIVE_INFINITY;
    const { enqueuedPerSecond, images, imagesPerMessage } = this.#scenario;
    if (enqueuedPerSecond === undefined) return this.#now;
    return Math.min(images, number * imagesPerMessage) / enqueuedPerSecond;
  }

  /** Nothing changes before `next`: the whole second in between, if there is one, is like now. */
  #sampleUntil(next: number): void {
    const second = Math.ceil(this.#now);
    if (second < next && second > (this.#samples.at(-1)?.seconds ?? -1)) this.#sampleAt(second);
  }

  #sampleAt(seconds: number): void {
    const { images, imagesPerMessage } = this.#scenario;
    const imagesOf = (messages: number) => Math.min(images, messages * imagesPerMessage);
    this.#samples.push({
      seconds,
      concurrency: this.#running.length,
      imagesDone: this.#imagesDone,
      imagesWaiting: imagesOf(this.#arrived()) - imagesOf(this.#taken),
    });
  }
}
