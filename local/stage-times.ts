import type { StageTime } from '../dashboard/contract/queue.ts';
import { STAGE_METRICS } from '../shared/contract/metric-names.ts';

/** Number of times to remember per stage, of the latest images. */
const REMEMBERED = 5_000;

/** Recent times of the stages, from the metrics in worker logs. */
export class StageTimes {
  readonly #times = new Map<string, number[]>(STAGE_METRICS.map(([, metric]) => [metric, []]));

  /** Adds a complete log line; lines without metrics are ignored. */
  add(line: string): void {
    if (!line.includes('"_aws"')) return;
    const metrics = parsed(line);
    for (const [metric, times] of this.#times) {
      for (const value of [metrics[metric]].flat()) if (typeof value === 'number') times.push(value);
      if (times.length > REMEMBERED) times.splice(0, times.length - REMEMBERED);
    }
  }

  all(): StageTime[] {
    return STAGE_METRICS.flatMap(([stage, metric]) => {
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
