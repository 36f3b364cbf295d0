import { DEADLINE_RESERVE_MS } from '../../shared/contract/limits.ts';
import { deadlineSignal } from '../../shared/runtime/deadline-signal.ts';

/** When an invocation has to stop working and write what it has. */
export type Deadline = {
  /** Aborted when the time has come. */
  signal: AbortSignal;
  /** Milliseconds until then; negative afterwards. */
  msLeft(): number;
};

/** @param remainingMs what Lambda says is left until it kills the worker */
export function deadlineIn(remainingMs: number): Deadline {
  const at = performance.now() + remainingMs - DEADLINE_RESERVE_MS;
  const msLeft = () => at - performance.now();
  return { signal: deadlineSignal(remainingMs, DEADLINE_RESERVE_MS), msLeft };
}
