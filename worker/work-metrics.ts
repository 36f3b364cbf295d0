import { Counter, Gauge, Registry } from 'prom-client';
import { LabelqueueMetrics } from '../dashboard/metrics.ts';
import type { MetricsReading } from '../dashboard/metrics-reading.ts';
import { WorkerLogTotals } from '../dashboard/metrics-worker-log.ts';
import { thisMachine, WORK_MACHINE_VARIABLE } from '../shared/contract/worker-time.ts';
import type { ExecutionEnvironment } from './execution-environment.ts';
import type { WorkCounts } from './loop-parts.ts';
import type { WorkLoop } from './work-loop.ts';

/** The outcomes of received messages, as in `labelqueue_work_messages_total`. */
const MESSAGE_EVENTS = ['received', 'acknowledged', 'left', 'given_back', 'lost'] as const;

/** The Prometheus metrics of `labelqueue work`: those of all workers, and those of its loop. */
export class WorkMetrics {
  readonly #worker = new LabelqueueMetrics();
  readonly #log: WorkerLogTotals;
  readonly #registry = new Registry();
  readonly #made = metricsOf(this.#registry);
  #last = new Map<string, number>();

  /** @param machine what the processes run on, see `WorkSettings` */
  constructor(machine: string) {
    this.#log = new WorkerLogTotals(this.#worker, thisMachine({ [WORK_MACHINE_VARIABLE]: machine }, process.arch));
  }

  /** Takes a whole log line of a worker process. */
  addLine(line: string): void {
    this.#log.add(line);
  }

  /** Images with a final outcome so far. */
  get images(): { classified: number; failed: number } {
    const sum = (wanted: string) =>
      this.#log.reading.images.reduce((all, { outcome, total }) => all + (outcome === wanted ? total : 0), 0);
    return { classified: sum('classified'), failed: sum('failed') };
  }

  /** @param queue messages by state, if SQS has just responded */
  async text(
    loop: WorkLoop,
    environments: readonly ExecutionEnvironment[],
    queue: MetricsReading['queue'],
  ): Promise<string> {
    const { counts, held } = loop;
    const reading = { ...this.#log.reading, workerErrors: counts.failures, ...(queue !== undefined && { queue }) };
    this.#take(counts);
    this.#made.held.set({ state: 'waiting' }, held.waiting);
    this.#made.held.set({ state: 'in_work' }, held.inWork);
    this.#made.ready.set(loop.readyProcesses);
    for (const [index, { rssBytes }] of environments.entries()) {
      this.#made.memory.set({ process: String(index) }, rssBytes);
    }
    return `${await this.#worker.text(reading)}${await this.#registry.metrics()}`;
  }

  #take(counts: WorkCounts): void {
    const { messages, restarts } = this.#made;
    const totals = { ...counts, given_back: counts.givenBack };
    for (const event of MESSAGE_EVENTS) messages.inc({ event }, this.#growth(event, totals[event]));
    restarts.inc(this.#growth('restarts', counts.restarts));
  }

  #growth(name: string, total: number): number {
    const growth = total - (this.#last.get(name) ?? 0);
    this.#last.set(name, total);
    return Math.max(0, growth);
  }
}

function metricsOf(registry: Registry) {
  const registers = [registry];
  return {
    messages: new Counter({
      name: 'labelqueue_work_messages_total',
      help: 'Messages of this `labelqueue work` by what became of them.',
      labelNames: ['event'],
      registers,
    }),
    held: new Gauge({
      name: 'labelqueue_work_held_messages',
      help: 'Messages that this `labelqueue work` holds now: they wait for a core, or are worked on.',
      labelNames: ['state'],
      registers,
    }),
    ready: new Gauge({
      name: 'labelqueue_work_ready_processes',
      help: 'Processes that have their model loaded.',
      registers,
    }),
    memory: new Gauge({
      name: 'labelqueue_work_process_resident_bytes',
      help: 'Memory that a process held after its last batch; 0 before.',
      labelNames: ['process'],
      registers,
    }),
    restarts: new Counter({
      name: 'labelqueue_work_process_restarts_total',
      help: 'Processes that were started in place of one that died or held too much memory.',
      registers,
    }),
  };
}
