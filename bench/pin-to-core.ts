import { execFileSync } from 'node:child_process';

/** Moves this process, with all its threads, to one core. Processes that it starts inherit that. */
export function pinToCore(core: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}
