/**
 * Aborted when a function has to stop working and say what it has.
 *
 * @param remainingMs what Lambda says is left until it kills the function
 * @param reserveMs what the function keeps of it
 */
export function deadlineSignal(remainingMs: number, reserveMs: number): AbortSignal {
  return AbortSignal.timeout(Math.max(0, Math.floor(remainingMs - reserveMs)));
}

/** Gives `value` once the signal is aborted, at once if it is already; to be raced with work that cannot be broken off. */
export function whenAborted<Value>(signal: AbortSignal, value: () => Value): Promise<Value> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(value());
    else signal.addEventListener('abort', () => resolve(value()), { once: true });
  });
}
