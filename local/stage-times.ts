import type { StageTime } from '../dashboard/contract.ts';
import { METRICS } from '../shared/contract/metric-names.ts';

/** Times that are remembered of each stage: those of the last images. */
const REMEMBERED = 5_000;

const STAGES = [
  ['fetch', METRICS.fetchTime],
  ['decode', METRICS.decodeTime],
  ['infer', METRICS.inferenceTime],
] as const;

/** How long the stages took lately, from the metrics that workers write into their log. */
export class StageTimes {
  readonly #times = new Map<string, number[]>(STAGES.map(([, metric]) => [metric, []]));

  /** Takes a whole line of the log; one that is not of metrics is left out. */
  add(line: string): void {
    if (!line.includes('"_aws"')) return;
    const metrics = parsed(line);
    for (const [metric, times] of this.#times) {
      for (const value of [metrics[metric]].flat()) if (typeof value === 'number') times.push(value);
      if (times.length > REMEMBERED) times.splice(0, times.length - REMEMBERED);
    }
  }

  all(): StageTime[] {
    return STAGES.flatMap(([stage, metric]) => {
      const times = this.#times.get(metric)?.toSorted((one, other) => one - other) ?? [];
      if (times.length === 0) return [];
      const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
      return [{ stage, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), measuredImages: times.length }];
    });
  }
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}
