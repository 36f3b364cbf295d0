// @ts-check

/**
 * The set-up cannot go on for a reason outside it. The message is all the user gets to see, so it says
 * what was needed, what was found, and what to do.
 */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/** The set-up was stopped by a signal. */
export class Interrupted extends Error {
  /** @override */
  name = 'Interrupted';

  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }
}
