import { commandName } from './command-name.ts';
import { quoted } from './shell-text.ts';
import { onTerminal, printNote } from './terminal.ts';

/**
 * SIGINT, SIGTERM and SIGHUP, for every command. A command that never calls anything here is ended by the system at
 * once, even while it blocks the event loop: right for a command that has nothing to clean up and nothing to print.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type EndingSignal = (typeof SIGNALS)[number];

/** Time that a command gets to record its progress; after that it is ended. */
const GRACE_MS = 700;
/**
 * One event may arrive several times: from the terminal, from the shell, and forwarded by `bin/labelqueue`. A signal
 * after this time counts as a second one, and the system ends the process at once.
 */
const SAME_EVENT_MS = 250;

/** The command was ended by a signal. It is the reason of the signal that {@link interruptible} returns. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: EndingSignal;

  constructor(signal: EndingSignal) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

const controller = new AbortController();
const cleanUps = new Set<() => void>();
/** Aborted by the first signal once a command has called {@link interruptible}. */
export const interruption: AbortSignal = controller.signal;
let adviceNow = () => 'interrupted';
let listening = false;
let graceTimer: NodeJS.Timeout | undefined;

/**
 * From now on the first signal ends the command within a second, and the next one at once.
 *
 * @param advice returns the text that is printed then: progress, and how to continue
 * @returns aborted by the first signal, for work that can stop cleanly
 */
export function interruptible(advice: () => string): AbortSignal {
  adviceNow = advice;
  listen(() => {
    graceTimer = setTimeout(exitInterrupted, GRACE_MS);
  });
  return controller.signal;
}

/**
 * For a command that runs until it is interrupted, and then finishes what it is doing.
 *
 * @returns resolves at the first signal; the next one ends the process at once
 */
export function untilInterrupted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  listen(resolve);
  return promise;
}

/**
 * Registers a clean-up for the case that the command is interrupted.
 *
 * @param cleanUp must be synchronous
 * @returns forgets it
 */
export function cleanUpAtEnd(cleanUp: () => void): () => void {
  cleanUps.add(cleanUp);
  return () => void cleanUps.delete(cleanUp);
}

/** Runs the registered clean-ups of a command that ends early. */
export function cleanUpNow(): void {
  for (const cleanUp of cleanUps) cleanUp();
  cleanUps.clear();
}

/** Whether a command that has failed or stopped did so because of a signal. */
export function isInterrupted(): boolean {
  return graceTimer !== undefined;
}

/** Called when the command has finished after a signal, within its grace period. */
export function forgetInterruption(): void {
  clearTimeout(graceTimer);
}

/**
 * Prints how to continue, and ends the process as the signal would have: a shell sees exit code 130, 143 or 129, and a
 * script that runs the command stops as well.
 */
export function exitInterrupted(): void {
  const { signal } = controller.signal.reason as Interrupted;
  forgetInterruption();
  cleanUpNow();
  // After what the terminal shows for Ctrl-C, or a bar.
  printNote(`${onTerminal.notes ? '\n' : ''}${adviceNow()}\n`);
  for (const one of SIGNALS) process.removeAllListeners(one);
  process.kill(process.pid, signal);
}

/** The rows of a source until the command is interrupted. */
export async function* untilAborted<Item>(items: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  for await (const item of items) {
    signal.throwIfAborted();
    yield item;
  }
}

/**
 * The command line, to be pasted again.
 *
 * @param added options to add if they are missing
 */
export function rerunCommand(...added: readonly string[]): string {
  return [commandName(), ...[...process.argv.slice(2), ...added].map(quoted)].join(' ');
}

function listen(onFirst: () => void): void {
  if (listening) return;
  listening = true;
  const onSignal = (signal: EndingSignal) => {
    if (controller.signal.aborted) return;
    setTimeout(stopListening, SAME_EVENT_MS).unref();
    controller.abort(new Interrupted(signal));
    onFirst();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const stopListening = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
