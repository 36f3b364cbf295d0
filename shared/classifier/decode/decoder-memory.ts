import { Semaphore } from 'async-mutex';
import { MAX_IMAGE_PIXELS } from '../../contract/limits.ts';
import { BYTES_PER_PIXEL } from './inspect/limits.ts';
import type { Inspected } from './picture.ts';

/**
 * A file of a kilobyte can take a gigabyte to decode. All concurrent decodes, in this process and in the isolated one, may
 * together use as much memory as the largest AVIF. Counted in shares of it rather than in bytes, since the semaphore iterates
 * over its weights on every release.
 */
const SHARES = 50;
const MEGABYTES_PER_SHARE = (MAX_IMAGE_PIXELS * BYTES_PER_PIXEL.avif) / 1e6 / SHARES;
/** Maximum number of concurrent decodes, also of small pictures: more would only thrash the caches. */
const DECODES_AT_ONCE = 4;
const MIN_HERE = Math.ceil(SHARES / DECODES_AT_ONCE);
/**
 * The maximum that an isolated decode counts as, so that there is always room for a decode in this process: otherwise one
 * hostile AVIF would delay every other picture for ten seconds. The largest ones take 250 MB more than they count as; when
 * memory runs out, the kernel kills their process first.
 */
const MAX_APART = SHARES - MIN_HERE;

class DecoderMemory {
  readonly #shares = new Semaphore(SHARES);

  /** @throws the signal's reason, if it is aborted before there is room */
  whileHere<Result>({ megabytes }: Inspected, signal: AbortSignal, decode: () => Promise<Result>): Promise<Result> {
    return this.#while(Math.min(SHARES, Math.max(MIN_HERE, sharesOf(megabytes))), signal, decode);
  }

  /** @throws the signal's reason, if it is aborted before there is room */
  whileApart<Result>({ megabytes }: Inspected, signal: AbortSignal, decode: () => Promise<Result>): Promise<Result> {
    return this.#while(Math.min(MAX_APART, Math.max(1, sharesOf(megabytes))), signal, decode);
  }

  #while<Result>(shares: number, signal: AbortSignal, decode: () => Promise<Result>): Promise<Result> {
    return this.#shares.runExclusive(() => {
      signal.throwIfAborted();
      return decode();
    }, shares);
  }
}

/** The memory of this process and the isolated one. */
export const decoderMemory = new DecoderMemory();

function sharesOf(megabytes: number): number {
  return Math.ceil(megabytes / MEGABYTES_PER_SHARE);
}
