import { hash } from 'node:crypto';
import type { SourceRow } from './sources/source-row.ts';

/**
 * The rows without exact repetitions: a list of URLs often has some, and one outcome serves them all.
 * An id that stood for another URL before makes its row invalid: their outcomes could not be told apart.
 *
 * @param onRepetition told of each row that is left out
 */
export async function* uniqueImages(
  rows: AsyncIterable<SourceRow>,
  onRepetition: () => void = () => {},
): AsyncGenerator<SourceRow> {
  const seen = new FingerprintMap();
  for await (const row of rows) {
    if (!('image' in row)) {
      yield row;
      continue;
    }
    const { id, url } = row.image;
    const verdict = seen.add(fingerprint(id), id === url ? SAME : fingerprint(url));
    if (verdict === 'new') yield row;
    else if (verdict === 'same') onRepetition();
    else yield { line: row.line, text: JSON.stringify(row.image), problem: differentUrl(id) };
  }
}

function differentUrl(id: string): string {
  return `expected each id for one URL only, got ${JSON.stringify(id.slice(0, 80))} for another one again`;
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
