import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Part of util-linux, which comes with Debian, Ubuntu and Amazon Linux. */
const TASKSET = 'taskset';

/** A command that starts another one: its arguments are followed by those of the other. */
export type Launcher = readonly [command: string, ...args: string[]];

/**
 * Pins a process to a core of its own where there are as many processes as cores. Otherwise the threads that decode for one
 * process interrupt the inference of another, and move between the cores' caches: two processes on two cores then classify 12 %
 * fewer images (`npm run bench:work -- --pinned`). With fewer processes, each may use several cores, and the scheduler decides.
 *
 * @param index of the process, 0 for the first
 * @returns undefined where it is not to be pinned, or cannot be
 */
export function coreLauncher(index: number, processes: number): Launcher | undefined {
  // Read at each start: a container's set of cores can change while it runs.
  const cores = allowedCores();
  const core = cores[index];
  if (cores.length < 2 || cores.length !== processes || core === undefined) return undefined;
  // The list also has cores that are offline.
  if (cores.length !== availableParallelism()) return undefined;
  const launcher = [TASKSET, '--cpu-list', String(core)] as const;
  return starts(launcher) ? launcher : undefined;
}

/** Tried, because a sandbox may forbid it, and the process would then not start. */
function starts([command, ...args]: Launcher): boolean {
  return spawnSync(command, [...args, 'true'], { stdio: 'ignore' }).status === 0;
}

/** The cores that this process may use, by their numbers; none where the system does not list them. */
export function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(ownStatus())?.[1] ?? '';
  return list.split(',').filter(Boolean).flatMap(coresOfRange);
}

/** @param range as Linux writes it: `3` or `0-7` */
function coresOfRange(range: string): number[] {
  const [first = 0, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
}

function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
