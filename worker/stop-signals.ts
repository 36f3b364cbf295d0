import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One event may arrive twice, from the terminal and from the parent; a signal after this time is a second one. */
const SAME_EVENT_MS = 250;

/**
 * Signal handling of a process without the command line.
 *
 * @returns resolves with the name of the first signal; the next one ends the process immediately, with the exit code that a shell
 * would report
 */
export function firstSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    resolve(signal);
    firstAt ??= performance.now();
    // The default action has no effect on the first process of a container.
    if (performance.now() - firstAt >= SAME_EVENT_MS) process.exit(128 + constants.signals[signal]);
  };
  for (const one of SIGNALS) process.on(one, onSignal);
  return promise;
}
