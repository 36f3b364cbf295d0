import { readFileSync } from 'node:fs';
import { CONNECTIONS_NEEDED, MAX_CONNECTIONS, OTHER_OPEN_FILES } from '../contract/limits.ts';
import { UserError } from '../contract/user-error.ts';

/** The limit on open files is too low. The message has the remedy. */
export class TooFewOpenFilesError extends UserError {
  override readonly name = 'TooFewOpenFilesError';
}

/**
 * The maximum number of connections to image servers, so that AWS clients, child processes and files always get a descriptor.
 *
 * @param openFiles `ulimit -n` of this process
 * @throws {TooFewOpenFilesError}
 */
export function connectionsAllowed(openFiles: number = openFilesLimit()): number {
  const needed = OTHER_OPEN_FILES + CONNECTIONS_NEEDED;
  if (openFiles < needed) {
    throw new TooFewOpenFilesError(
      `expected a process to be allowed ${needed} open files or more, got ${openFiles}: ` +
        `raise the limit, e.g. with ulimit -n ${Math.max(needed, 1_024)}, LimitNOFILE= of systemd or --ulimit nofile of Docker`,
    );
  }
  return Math.min(MAX_CONNECTIONS, openFiles - OTHER_OPEN_FILES);
}

/** The soft limit; Node itself raises it to the hard one when it starts. */
function openFilesLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    // Not Linux: launchd's limits are far above what is needed, and Node raises the soft one.
    return Number.POSITIVE_INFINITY;
  }
}
