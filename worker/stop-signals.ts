const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One event may arrive twice, from the terminal and from the parent; a signal after so long is a second one. */
const SAME_EVENT_MS = 250;

/**
 * For a process without the command line.
 *
 * @returns resolves with the name of the first signal; the next one ends the process at once
 */
export function firstSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const onSignal = (signal: NodeJS.Signals) => {
    resolve(signal);
    setTimeout(() => {
      for (const one of SIGNALS) process.off(one, onSignal);
    }, SAME_EVENT_MS).unref();
  };
  for (const one of SIGNALS) process.on(one, onSignal);
  return promise;
}
