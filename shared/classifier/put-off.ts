import { ImageFailure } from '../contract/error-codes.ts';

/** Why an image was put off: its host rests, or too many expensive images wait for the isolated decoder. */
export type PutOffReason = 'host_rests' | 'decoder_busy';

/** The outcome of an image that was not tried, and can be later: it does not count as an attempt. */
export class PutOff {
  readonly reason: PutOffReason;
  /** How long a try cannot succeed, from now. */
  readonly seconds: number;
  readonly #expected: string;

  /** @param expected the failure message of an image that can no longer be put off */
  constructor(reason: PutOffReason, seconds: number, expected: string) {
    this.reason = reason;
    this.seconds = seconds;
    this.#expected = expected;
  }

  /** For an image that can no longer be put off. */
  toFailure(): ImageFailure {
    return new ImageFailure('timeout', this.#expected);
  }
}
