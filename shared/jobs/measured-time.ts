import type { PartName } from '../contract/object-keys.ts';
import { WORKER_HOSTS, type WorkerHost, type WorkerMachine, type WorkerTime } from '../contract/worker-time.ts';
import { assumedUsd, type Computing, usdOfTime } from '../cost.ts';

/** The time that workers measured for a job, as in a status and a summary. */
export type ComputingTime = {
  /** By machine type, most time first. */
  workers: (WorkerMachine & { seconds: number })[];
  /** The share of all lines whose worker measured its time: 0 to 1. The time of the others is estimated. */
  measuredShare: number;
};

/**
 * Adds up the computing time in the names of part files, including those that a later file replaces: a message that was
 * delivered twice was processed twice. For files of earlier versions, which have no time, the assumed processor is used.
 */
export class MeasuredTime {
  readonly #byMachine = new Map<string, WorkerTime>();
  readonly #linesByHost = new Map<WorkerHost, number>();
  #otherLines = 0;

  add({ time, lines }: Pick<PartName, 'time' | 'lines'>): void {
    if (time === undefined) {
      this.#otherLines += lines;
      return;
    }
    const { host, architecture, memoryMb, instanceFamily } = time;
    this.#linesByHost.set(host, (this.#linesByHost.get(host) ?? 0) + lines);
    const machine = [host, architecture, memoryMb, instanceFamily].join(' ');
    const { milliseconds = 0 } = this.#byMachine.get(machine) ?? {};
    this.#byMachine.set(machine, { ...time, milliseconds: milliseconds + time.milliseconds });
  }

  /** US dollars at list prices: each worker's time at the price of its machine, and the estimate for the other lines. */
  get usd(): number {
    const { lambdaUsd, fleetUsd } = this.cost();
    return lambdaUsd + fleetUsd;
  }

  /**
   * The same by host. Lines without a time count as processed on Lambda.
   *
   * @param share the share of the part files that was added, in (0, 1]: the cost is that of all of them
   */
  cost(share = 1): Computing {
    const lines = this.#measuredLines + this.#otherLines;
    const linesOf = (host: WorkerHost) =>
      (this.#linesByHost.get(host) ?? 0) + (host === 'lambda' ? this.#otherLines : 0);
    const shareOf = (host: WorkerHost) => (lines === 0 ? Number(host === 'lambda') : linesOf(host) / lines);
    return {
      lambdaUsd: (this.#usdOn('lambda') + assumedUsd(this.#otherLines)) / share,
      fleetUsd: this.#usdOn('ec2') / share,
      share: { lambda: shareOf('lambda'), ec2: shareOf('ec2'), own: shareOf('own') },
    };
  }

  /** The part of {@link usd} that workers measured. */
  get computing(): ComputingTime {
    const lines = this.#measuredLines + this.#otherLines;
    const times = [...this.#byMachine.values()].sort((one, other) => other.milliseconds - one.milliseconds);
    return {
      workers: times.map(({ milliseconds, ...machine }) => ({ ...machine, seconds: milliseconds / 1_000 })),
      measuredShare: lines === 0 ? 0 : this.#measuredLines / lines,
    };
  }

  get #measuredLines(): number {
    return WORKER_HOSTS.reduce((sum, host) => sum + (this.#linesByHost.get(host) ?? 0), 0);
  }

  #usdOn(host: WorkerHost): number {
    const times = [...this.#byMachine.values()].filter((time) => time.host === host);
    return times.reduce((sum, time) => sum + usdOfTime(time), 0);
  }
}
