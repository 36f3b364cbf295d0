/** What Linux knows of processes. Of one that is gone: nothing. */
import { readFileSync } from 'node:fs';

/** Ids of the children of a process. */
export function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** Memory of a process in MB; 0 when it is gone. */
export function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1_000;
}

/** Computing time that a process has used, all its threads together, in ms; Linux counts it in steps of 10 ms. */
export function cpuMs(pid: number): number {
  // After the name, which may hold spaces, in parentheses: user and system time are fields 14 and 15.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  return 10 * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
}

/** Whether a process runs, or could: one that has ended and was not waited for does not count. */
export function isRunning(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(read(`/proc/${pid}/status`));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
