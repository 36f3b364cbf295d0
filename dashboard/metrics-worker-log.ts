import { z } from 'zod';
import { METRICS } from '../shared/contract/metric-names.ts';
import type { WorkerMachine } from '../shared/contract/worker-time.ts';
import { PRICES, usdOfTime } from '../shared/cost.ts';
import type { ImageTotal, MessageOutcome, MetricsReading, TimedStage, WorkerFacts } from './metrics-reading.ts';

/** Receives single observations: each time of an image, and each worker. */
export type WorkerObserver = {
  observeStage(stage: TimedStage, seconds: number): void;
  addWorker(facts: WorkerFacts): void;
};

/** CloudWatch's names of the times, which are in milliseconds. */
const TIMES = [
  [METRICS.fetchTime, 'fetch'],
  [METRICS.decodeTime, 'decode'],
  [METRICS.inferenceTime, 'inference'],
] as const satisfies [string, TimedStage][];

const count = z.int().nonnegative();
const countByCode = z.record(z.string(), count).default({});
const model = z.object({ name: z.string(), version: z.string() });

/** What a worker logs at its start, see `functions/classify/handler.ts`. */
const startSchema = z.object({
  message: z.literal('worker started'),
  processor: z.object({ name: z.string() }),
  model,
});

/** What it logs at the end of an invocation, see `functions/classify/telemetry.ts`. */
const invocationSchema = z.object({
  message: z.literal('invocation'),
  messages: count,
  classified: count,
  failed: count,
  failureCodes: countByCode,
  retried: count,
  retryCodes: countByCode,
  cancelled: count,
  putOff: count,
  decodeLater: count,
  notReached: count,
  unreadable: count,
  unsettled: count,
  ms: z.number().nonnegative(),
  startMs: z.number().nonnegative().default(0),
  processor: z.string(),
  model,
});
type Invocation = z.infer<typeof invocationSchema>;

const times = z.union([z.number(), z.array(z.number())]).optional();
/** CloudWatch's embedded metric format, as far as it has times. */
const embeddedSchema = z.object({
  _aws: z.object({}),
  [METRICS.fetchTime]: times,
  [METRICS.decodeTime]: times,
  [METRICS.inferenceTime]: times,
});

/** Adds up the log lines of workers, from which CloudWatch makes its metrics, too. */
export class WorkerLogTotals {
  readonly #observer: WorkerObserver;
  readonly #machine: WorkerMachine;
  readonly #images = new Map<string, ImageTotal>();
  readonly #messages: Record<MessageOutcome, number> = { settled: 0, malformed: 0, unsettled: 0 };
  #costUsd = 0;

  /** @param machine the machine of the workers, which determines the price */
  constructor(observer: WorkerObserver, machine: WorkerMachine) {
    this.#observer = observer;
    this.#machine = machine;
  }

  /** Adds a complete line; other lines are ignored. */
  add(line: string): void {
    const logged = jsonIn(line);
    if (logged === undefined) return;
    const invocation = invocationSchema.safeParse(logged).data;
    if (invocation !== undefined) this.#addInvocation(invocation);
    const start = startSchema.safeParse(logged).data;
    if (start !== undefined) this.#addWorker(start.processor.name, start.model);
    const embedded = embeddedSchema.safeParse(logged).data;
    if (embedded !== undefined) this.#observeTimes(embedded);
  }

  #observeTimes(embedded: z.infer<typeof embeddedSchema>): void {
    for (const [name, stage] of TIMES) {
      for (const milliseconds of [embedded[name] ?? []].flat())
        this.#observer.observeStage(stage, milliseconds / 1_000);
    }
  }

  /** The totals since the first line. */
  get reading(): Required<Pick<MetricsReading, 'images' | 'messages' | 'costUsd'>> {
    return { images: [...this.#images.values()], messages: { ...this.#messages }, costUsd: this.#costUsd };
  }

  #addInvocation(invocation: Invocation): void {
    const { classified, failed, failureCodes, retried, retryCodes, cancelled, ...rest } = invocation;
    this.#count('classified', classified);
    this.#count('cancelled', cancelled);
    this.#count('sent_on', rest.putOff + rest.decodeLater + rest.notReached);
    this.#countByCode('failed', failed, failureCodes);
    this.#countByCode('retried', retried, retryCodes);
    const { messages, unreadable, unsettled } = rest;
    this.#messages.malformed += unreadable;
    this.#messages.unsettled += unsettled;
    this.#messages.settled += Math.max(0, messages - unreadable - unsettled);
    const requestUsd = this.#machine.host === 'lambda' ? PRICES.lambdaRequest : 0;
    this.#costUsd += usdOfTime({ ...this.#machine, milliseconds: rest.ms + rest.startMs }) + requestUsd;
    this.#addWorker(rest.processor, rest.model);
  }

  #addWorker(processor: string, { name, version }: z.infer<typeof model>): void {
    this.#observer.addWorker({ processor, model: `${name} ${version}` });
  }

  /** Images without a code come from a worker of another version. */
  #countByCode(outcome: 'failed' | 'retried', images: number, codes: Record<string, number>): void {
    let withoutCode = images;
    for (const [code, some] of Object.entries(codes)) {
      this.#count(outcome, some, code);
      withoutCode -= some;
    }
    if (withoutCode > 0) this.#count(outcome, withoutCode, 'other');
  }

  #count(outcome: ImageTotal['outcome'], images: number, code?: string): void {
    const key = `${outcome} ${code}`;
    const total = images + (this.#images.get(key)?.total ?? 0);
    this.#images.set(key, { outcome, ...(code !== undefined && { code }), total });
  }
}

function jsonIn(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
