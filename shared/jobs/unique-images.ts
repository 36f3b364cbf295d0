import { hash } from 'node:crypto';
import { type ImageRef, idWithMeta } from '../contract/image-ref.ts';
import { MAX_ID_CHARS } from '../contract/limits.ts';
import type { SourceRow } from './sources/source-row.ts';

/**
 * The rows without exact repetitions, which are the same in id, URL and meta: a list of URLs often has some, and one
 * outcome serves them all. A row whose URL is its id and stood before with other meta gets an id of its own. An id
 * that stood for another row before makes its row invalid: their outcomes could not be told apart.
 *
 * @param onRepetition called for each row that is left out
 * @param onOwnId called for each row that gets an id of its own
 */
export async function* uniqueImages(
  rows: AsyncIterable<SourceRow>,
  onRepetition: () => void = () => {},
  onOwnId: () => void = () => {},
): AsyncGenerator<SourceRow> {
  const seen = new FingerprintMap();
  for await (const row of rows) {
    const judged = 'image' in row ? judge(row, seen) : row;
    if (judged === 'repetition') {
      onRepetition();
      continue;
    }
    if ('image' in judged && judged !== row) onOwnId();
    yield judged;
  }
}

/** The row, the row with an id of its own, or why it cannot have one. */
function judge(row: ImageRow, seen: FingerprintMap): SourceRow | 'repetition' {
  const verdict = seen.add(...entryOf(row.image));
  if (verdict === 'new') return row;
  if (verdict === 'same') return 'repetition';
  if (verdict === 'other id' || row.image.id !== row.image.url) return sameId(row);
  const renamed = withOwnId(row);
  if (!('image' in renamed)) return renamed;
  const again = seen.add(...entryOf(renamed.image));
  if (again === 'same') return 'repetition';
  return again === 'new' ? renamed : sameId(row);
}

/**
 * A row of which only the URL is known, with an id of its own: the URL and a digest of its meta, so that it gets the
 * same one each time.
 */
export function withOwnId(row: ImageRow): SourceRow {
  const id = idWithMeta(row.image);
  if (id.length > MAX_ID_CHARS) return { line: row.line, text: row.image.url, problem: NO_ROOM_FOR_ID };
  return { ...row, image: { ...row.image, id } };
}

type ImageRow = Extract<SourceRow, { image: ImageRef }>;

const NO_ROOM_FOR_ID = 'expected an id beside a long URL that stands in the list again with other meta';

function sameId({ line, image }: ImageRow): SourceRow {
  const got = JSON.stringify(image.id.slice(0, 80));
  const problem = `expected each id for one URL only, got ${got} for another one again, or with other meta`;
  return { line, text: JSON.stringify(image), problem };
}

/** 64 bits: among a million ids, two that differ are taken for the same with a probability of 3e-8. */
type Fingerprint = readonly [high: number, low: number];

/** Of a URL that is its own id and has no meta. */
const BARE: Fingerprint = [1, 0];

/** The id, and what else the row says: whether the URL is the id stands in the lowest bit. */
function entryOf({ id, url, meta }: ImageRef): [key: Fingerprint, value: Fingerprint] {
  const bare = id === url;
  if (bare && meta === undefined) return [fingerprint(id), BARE];
  const json = meta === undefined ? '' : JSON.stringify(meta);
  const [high, low] = fingerprint(bare ? json : `${url}\n${json}`);
  return [fingerprint(id), [bare ? high | 1 : high & ~1, low]];
}

function fingerprint(text: string): Fingerprint {
  const digest = hash('sha1', text, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

const FIELDS = 4;
const MAX_LOAD = 0.7;

/** `other meta`: the key was there as the id of its own URL; `other id`: as one that was given. */
type Verdict = 'new' | 'same' | 'other meta' | 'other id';

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

  /** Whether the key is new, was there with the same value, or with another one, and then of which kind that was. */
  add([keyHigh, keyLow]: Fingerprint, [valueHigh, valueLow]: Fingerprint): Verdict {
    if (this.#size > this.#capacity * MAX_LOAD) this.#grow();
    const high = keyHigh || 1;
    const at = this.#find(high, keyLow);
    if (this.#table[at] === 0) {
      this.#table.set([high, keyLow, valueHigh, valueLow], at);
      this.#size++;
      return 'new';
    }
    const [thereHigh, thereLow] = [this.#table[at + 2] as number, this.#table[at + 3]];
    if (thereHigh === valueHigh >>> 0 && thereLow === valueLow) return 'same';
    return thereHigh & 1 ? 'other meta' : 'other id';
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
