import { ImageFailure } from '../contract/error-codes.ts';

/** Why an image was put off: its host is left to rest, or too many expensive images wait for the isolated decoder. */
export type PutOffReason = 'host_rests' | 'decoder_busy';

/** What became of an image that was not tried, and can be later: it does not count as an attempt. */
export class PutOff {
  readonly reason: PutOffReason;
  /** How long trying it again would be in vain, from now. */
  readonly seconds: number;
  readonly #expected: string;

  /** @param expected what would have had to happen, for an image that cannot be put off any more */
  constructor(reason: PutOffReason, seconds: number, expected: string) {
    this.reason = reason;
    this.seconds = seconds;
    this.#expected = expected;
  }

  /** For an image that cannot be put off any more. */
  toFailure(): ImageFailure {
    return new ImageFailure('timeout', this.#expected);
  }
}
