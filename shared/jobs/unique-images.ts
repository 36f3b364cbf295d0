import { hash } from 'node:crypto';
import type { ImageRef } from '../contract/message.ts';
import { SourceLineError } from './read-source.ts';

/**
 * The images without exact repetitions: a list of URLs often has some, and one outcome serves them all.
 *
 * @param onRepetition told of each image that is left out
 * @throws {SourceLineError} at an id that stood for another URL before: its outcomes could not be told apart
 */
export async function* uniqueImages(
  images: AsyncIterable<ImageRef>,
  onRepetition: () => void = () => {},
): AsyncGenerator<ImageRef> {
  const seen = new FingerprintMap();
  for await (const image of images) {
    const verdict = seen.add(fingerprint(image.id), image.id === image.url ? SAME : fingerprint(image.url));
    if (verdict === 'other') {
      throw new SourceLineError(
        `expected each id for one URL only, got ${JSON.stringify(image.id.slice(0, 80))} for another one again`,
      );
    }
    if (verdict === 'new') yield image;
    else onRepetition();
  }
}

/** 64 bits: among a million ids, two that differ are taken for the same with a probability of 3e-8. */
type Fingerprint = readonly [high: number, low: number];

/** Of a URL that is its own id. */
const SAME: Fingerprint = [0, 0];

function fingerprint(text: string): Fingerprint {
  const digest = hash('sha1', text, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

const FIELDS = 4;
const MAX_LOAD = 0.7;

/**
 * From fingerprints to fingerprints, in less than 50 bytes an entry: a `Map` of strings would need some
 * hundred megabytes for a million ids.
 *
 * Invariant: of an entry that is in use, the first field is not 0.
 */
class FingerprintMap {
  #capacity = 1 << 12;
  #table = new Uint32Array(this.#capacity * FIELDS);
  #size = 0;

  /** Whether the key is new, was there with the same value, or was there with another one. */
  add([keyHigh, keyLow]: Fingerprint, [valueHigh, valueLow]: Fingerprint): 'new' | 'same' | 'other' {
    if (this.#size > this.#capacity * MAX_LOAD) this.#grow();
    const high = keyHigh || 1;
    const at = this.#find(high, keyLow);
    if (this.#table[at] === 0) {
      this.#table.set([high, keyLow, valueHigh, valueLow], at);
      this.#size++;
      return 'new';
    }
    return this.#table[at + 2] === valueHigh && this.#table[at + 3] === valueLow ? 'same' : 'other';
  }

  /** Where the key is, or else where it belongs: linear probing from its low bits. */
  #find(high: number, low: number): number {
    let slot = low % this.#capacity;
    for (;;) {
      const at = slot * FIELDS;
      if (this.#table[at] === 0 || (this.#table[at] === high && this.#table[at + 1] === low)) return at;
      slot = (slot + 1) % this.#capacity;
    }
  }

  #grow(): void {
    const old = this.#table;
    this.#capacity *= 2;
    this.#table = new Uint32Array(this.#capacity * FIELDS);
    for (let at = 0; at < old.length; at += FIELDS) {
      const high = old[at] as number;
      if (high !== 0) this.#table.set(old.subarray(at, at + FIELDS), this.#find(high, old[at + 1] as number));
    }
  }
}
