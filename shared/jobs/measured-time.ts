import type { PartName } from '../contract/object-keys.ts';
import type { WorkerTime } from '../contract/worker-time.ts';
import { assumedUsd, usdOfTime } from '../cost.ts';

/** What workers measured of a job, as it stands in a status and a summary. */
export type ComputingTime = {
  /** By kind of machine, most time first. */
  workers: { architecture: WorkerTime['architecture']; memoryMb: number; seconds: number }[];
  /** Of the lines of all part files, those whose worker measured: 0 to 1. The others are estimated. */
  measuredShare: number;
};

/**
 * Adds up the computing time that part files have in their names, those included that a later file replaces: a message
 * that was delivered twice was worked on twice. For files of earlier versions, which have none, the assumed processor stands in.
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
