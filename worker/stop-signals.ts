import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One event may arrive twice, from the terminal and from the parent; a signal after so long is a second one. */
const SAME_EVENT_MS = 250;

/**
 * For a process without the command line.
 *
 * @returns resolves with the name of the first signal; the next one ends the process at once, with the exit code that a shell
 * would report
 */
export function firstSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    resolve(signal);
    firstAt ??= performance.now();
    // Left to the system, it would have no effect on the first process of a container.
    if (performance.now() - firstAt >= SAME_EVENT_MS) process.exit(128 + constants.signals[signal]);
  };
  for (const one of SIGNALS) process.on(one, onSignal);
  return promise;
}
