import { Semaphore } from 'async-mutex';
import { MAX_IMAGE_PIXELS } from '../../contract/limits.ts';
import { BYTES_PER_PIXEL } from './inspect/limits.ts';
import type { Inspected } from './picture.ts';

/**
 * A file of a kilobyte can take a gigabyte to decode. All that is decoded at once, in this process or apart, may take
 * as much memory as the largest AVIF. In shares of it rather than in bytes, since the semaphore counts down all of its
 * weights whenever one is given back.
 */
const SHARES = 50;
const MEGABYTES_PER_SHARE = (MAX_IMAGE_PIXELS * BYTES_PER_PIXEL.avif) / 1e6 / SHARES;
/** Small ones too are decoded no more than so many at once: more only push each other out of the caches. */
const DECODES_AT_ONCE = 4;
const LEAST_HERE = Math.ceil(SHARES / DECODES_AT_ONCE);
/**
 * A picture that is decoded apart counts as no more than this, so that a decode in this process always has room beside
 * it: one hostile AVIF would hold up every other picture for ten seconds. The largest ones take 250 MB more than they
 * count as; should memory run out, the kernel ends their process first.
 */
const MOST_APART = SHARES - LEAST_HERE;

class DecoderMemory {
  readonly #shares = new Semaphore(SHARES);

  /** @throws the signal's reason, when it is aborted before there is room */
  whileHere<Result>({ megabytes }: Inspected, signal: AbortSignal, decode: () => Promise<Result>): Promise<Result> {
    return this.#while(Math.min(SHARES, Math.max(LEAST_HERE, sharesOf(megabytes))), signal, decode);
  }

  /** @throws the signal's reason, when it is aborted before there is room */
  whileApart<Result>({ megabytes }: Inspected, signal: AbortSignal, decode: () => Promise<Result>): Promise<Result> {
    return this.#while(Math.min(MOST_APART, Math.max(1, sharesOf(megabytes))), signal, decode);
  }

  #while<Result>(shares: number, signal: AbortSignal, decode: () => Promise<Result>): Promise<Result> {
    return this.#shares.runExclusive(() => {
      signal.throwIfAborted();
      return decode();
    }, shares);
  }
}

/** Of this process and its isolated one. */
export const decoderMemory = new DecoderMemory();

function sharesOf(megabytes: number): number {
  return Math.ceil(megabytes / MEGABYTES_PER_SHARE);
}
