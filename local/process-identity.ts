// A process id alone does not tell whether a process still runs: ids are used again, in containers all
// the time. With the time at which the process started it does.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * @returns such as `process 812, started 40911`; undefined when there is none
 */
export function identityOf(pid: number): string | undefined {
  const started = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
  return started && `process ${pid}, started ${started}`;
}

/**
 * @param identity of {@link identityOf}
 * @returns whether that very process runs
 */
export function isRunning(identity: string): boolean {
  const pid = /\d+/.exec(identity)?.[0];
  return pid !== undefined && identityOf(Number(pid)) === identity;
}

/** @returns clock ticks since the machine started */
function startOnLinux(pid: number): string | undefined {
  try {
    // `pid (name) state ppid …`: a name may hold spaces and brackets, so count from the last bracket.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : rest[18];
  } catch {
    return undefined;
  }
}

function startByPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
