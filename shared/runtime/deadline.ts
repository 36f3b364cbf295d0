import { DEADLINE_RESERVE_MS } from '../contract/limits.ts';

/** When an invocation has to stop working and write what it has. */
export type Deadline = {
  /** Aborted at the deadline. */
  signal: AbortSignal;
  /** Milliseconds until the deadline; negative afterwards. */
  msLeft(): number;
};

/**
 * The worker's deadline, `DEADLINE_RESERVE_MS` before Lambda kills it.
 *
 * @param remainingMs what Lambda says is left
 */
export function deadlineIn(remainingMs: number): Deadline {
  const at = performance.now() + remainingMs - DEADLINE_RESERVE_MS;
  return { signal: deadlineSignal(remainingMs, DEADLINE_RESERVE_MS), msLeft: () => at - performance.now() };
}

/**
 * Aborted when a function has to stop working and answer with what it has.
 *
 * @param remainingMs what Lambda says is left until it kills the function
 * @param reserveMs what the function keeps of it
 */
export function deadlineSignal(remainingMs: number, reserveMs: number): AbortSignal {
  return AbortSignal.timeout(Math.max(0, Math.floor(remainingMs - reserveMs)));
}

/**
 * Resolves to `value()` once the signal is aborted, immediately if it already is. Race it against work that cannot be
 * interrupted.
 */
export function whenAborted<Value>(signal: AbortSignal, value: () => Value): Promise<Value> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(value());
    else signal.addEventListener('abort', () => resolve(value()), { once: true });
  });
}

/** A signal that is never aborted, for work without a deadline. */
export const NEVER_ABORTED: AbortSignal = new AbortController().signal;
