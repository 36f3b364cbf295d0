import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../shared/contract/user-error.ts';
import { type ExecutionEnvironment, FunctionError } from './execution-environment.ts';

const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Tries before giving up if no process has ever started. */
const FIRST_TRIES = 3;

/** No process of the worker could be started; the message has the last reason. */
export class ProcessStartError extends UserError {
  override readonly name = 'ProcessStartError';
}

/** How a process is started, and when that has failed. */
export type ProcessStartOptions = {
  /** Called with the reason when a process does not start. */
  onFailure: (error: FunctionError) => void;
  /** Shared by all processes: whether any has started before. */
  started: { any: boolean };
  /** Ends the start, also of a hanging process, which has no message yet. */
  signal: AbortSignal;
};

/**
 * Starts the process of an environment unless it runs. Once any process has started before, it retries forever with backoff.
 *
 * @returns whether it runs; false when the signal was aborted first
 * @throws {ProcessStartError} when none has ever started
 */
export async function startProcess(
  environment: ExecutionEnvironment,
  { onFailure, started, signal }: ProcessStartOptions,
): Promise<boolean> {
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      await initializedUntil(environment, signal);
      started.any = true;
      return true;
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      if (signal.aborted) break;
      onFailure(error);
      if (!started.any && tries >= FIRST_TRIES) throw neverStarted(error);
      const pause = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** (tries - 1));
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

async function initializedUntil(environment: ExecutionEnvironment, signal: AbortSignal): Promise<void> {
  const kill = () => environment.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    await environment.initialize();
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function neverStarted({ message }: FunctionError): ProcessStartError {
  return new ProcessStartError(`no process of the worker starts (${FIRST_TRIES} tries each): ${withoutStack(message)}`);
}

/** Processes report stack traces, which are for logs, not for a user with a wrong setting. */
function withoutStack(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => /^ {4}at |^\s*\d+ \|/.test(line));
  return lines.slice(0, end === -1 ? lines.length : Math.max(1, end)).join('\n');
}
