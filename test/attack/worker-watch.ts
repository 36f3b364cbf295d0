import { readdirSync, readFileSync } from 'node:fs';
import type { ExecutionEnvironment } from '../../worker/execution-environment.ts';

/** The most that any worker has held so far; 0 where there is no `/proc`. */
export type WorkerWatch = Disposable & { readonly peakRssMb: number; readonly peakDescriptors: number };

const LOOK_MS = 250;

/** Looks at the processes of workers now and then. */
export function startWatch(workers: readonly ExecutionEnvironment[]): WorkerWatch {
  let peakRssMb = 0;
  let peakDescriptors = 0;
  const timer = setInterval(() => {
    for (const { pid } of workers) {
      peakRssMb = Math.max(peakRssMb, peakRssMbOf(pid));
      peakDescriptors = Math.max(peakDescriptors, descriptorsOf(pid));
    }
  }, LOOK_MS);
  return {
    get peakRssMb() {
      return peakRssMb;
    },
    get peakDescriptors() {
      return peakDescriptors;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function peakRssMbOf(pid: number | undefined): number {
  return orZero(() => {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) / 1_024;
  });
}

function descriptorsOf(pid: number | undefined): number {
  return orZero(() => readdirSync(`/proc/${pid}/fd`).length);
}

/** A process that has just ended cannot be looked at. */
function orZero(look: () => number): number {
  try {
    return look();
  } catch {
    return 0;
  }
}
