import type { Measurement } from '../support/measured-handler.ts';
import { REFERENCE_INTERVAL, type Soak } from './soak-run.ts';

/** How far the peak of resident memory may rise from the reference interval to the last, in percent. */
const MAX_GROWTH_PERCENT = 5;

/**
 * How much the peak of resident memory has risen since the reference interval, in percent. What is resident at one moment
 * says less: up to 80 MB of it are buffers that V8 has not collected yet.
 */
export function memoryGrowthPercent({ intervals }: Soak): number {
  const [reference, last] = [intervals[REFERENCE_INTERVAL - 1], intervals.at(-1)];
  if (reference === undefined || last === undefined) throw new Error('expected a soak with a reference interval');
  return (last.measured.maxRssMb / reference.measured.maxRssMb - 1) * 100;
}

/** A sentence for each thing that the worker did not give back. */
export function leaksIn(soak: Soak): string[] {
  const { reference, end } = soak.idle;
  const growth = memoryGrowthPercent(soak);
  const leaks: string[] = [];
  if (growth > MAX_GROWTH_PERCENT) {
    leaks.push(
      `expected the peak of resident memory to grow by at most ${MAX_GROWTH_PERCENT} %, it grew by ${growth.toFixed(1)} %`,
    );
  }
  if (end.tensors > 0) leaks.push(`expected no tensor to be left, found ${end.tensors}`);
  if (resourcesOf(end) !== resourcesOf(reference)) {
    leaks.push(`expected the idle worker to hold ${resourcesOf(reference)} as before, found ${resourcesOf(end)}`);
  }
  if (end.sockets > reference.sockets) {
    leaks.push(`expected at most ${reference.sockets} open sockets as before, found ${end.sockets}`);
  }
  return leaks;
}

function resourcesOf({ resources }: Measurement): string {
  return resources.toSorted().join(', ');
}
