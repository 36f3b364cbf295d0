import type { PartName } from '../contract/object-keys.ts';
import type { WorkerTime } from '../contract/worker-time.ts';
import { assumedUsd, usdOfTime } from '../cost.ts';

/** The time that workers measured for a job, as in a status and a summary. */
export type ComputingTime = {
  /** By machine type, most time first. */
  workers: { architecture: WorkerTime['architecture']; memoryMb: number; seconds: number }[];
  /** The share of all lines whose worker measured its time: 0 to 1. The time of the others is estimated. */
  measuredShare: number;
};

/**
 * Adds up the computing time in the names of part files, including those that a later file replaces: a message that was
 * delivered twice was processed twice. For files of earlier versions, which have no time, the assumed processor is used.
 */
export class MeasuredTime {
  readonly #byMachine = new Map<string, WorkerTime>();
  #measuredLines = 0;
  #otherLines = 0;

  add({ time, lines }: Pick<PartName, 'time' | 'lines'>): void {
    if (time === undefined) {
      this.#otherLines += lines;
      return;
    }
    this.#measuredLines += lines;
    const machine = `${time.architecture} ${time.memoryMb}`;
    const { milliseconds = 0 } = this.#byMachine.get(machine) ?? {};
    this.#byMachine.set(machine, { ...time, milliseconds: milliseconds + time.milliseconds });
  }

  /** US dollars at list prices: each worker's time at the price of its machine, and the estimate for the other lines. */
  get usd(): number {
    return [...this.#byMachine.values()].reduce((sum, time) => sum + usdOfTime(time), assumedUsd(this.#otherLines));
  }

  /** The part of {@link usd} that workers measured. */
  get computing(): ComputingTime {
    const lines = this.#measuredLines + this.#otherLines;
    const times = [...this.#byMachine.values()].sort((one, other) => other.milliseconds - one.milliseconds);
    return {
      workers: times.map(({ architecture, memoryMb, milliseconds }) => ({
        architecture,
        memoryMb,
        seconds: milliseconds / 1_000,
      })),
      measuredShare: lines === 0 ? 0 : this.#measuredLines / lines,
    };
  }
}
