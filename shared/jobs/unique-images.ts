import { hash, randomBytes } from 'node:crypto';
import { type ImageRef, idWithMeta } from '../contract/image-ref.ts';
import { MAX_ID_CHARS } from '../contract/limits.ts';
import { SpillingTable } from './fingerprints/spilling-table.ts';
import type { SourceRow } from './source-row.ts';

export type UniqueImagesOptions = {
  /** Called for each row that is left out. */
  onDuplicate?: () => void;
  /** Called for each row that gets an id of its own. */
  onOwnId?: () => void;
  /** A power of two; when seven tenths of them are taken by rows, these go to a temporary file. */
  slotsInMemory?: number;
};

/**
 * The rows without exact duplicates, which are the same in id, URL and meta: a list of URLs often has some, and one
 * outcome serves them all. A row whose URL is its id and stood before with other meta gets an id of its own. An id
 * that stood for another row before makes its row invalid: their outcomes could not be told apart.
 *
 * @throws {SpillError} when there is no room for a temporary file
 */
export async function* uniqueImages(
  rows: AsyncIterable<SourceRow>,
  { onDuplicate, onOwnId, slotsInMemory }: UniqueImagesOptions = {},
): AsyncGenerator<SourceRow> {
  using seen = new SpillingTable(FIELDS, slotsInMemory);
  for await (const row of rows) {
    const judged = 'image' in row ? judge(row, seen) : row;
    if (judged === 'duplicate') {
      onDuplicate?.();
      continue;
    }
    if ('image' in judged && judged !== row) onOwnId?.();
    yield judged;
  }
}

/** The row, the row with an id of its own, or why it cannot have one. */
function judge(row: ImageRow, seen: SpillingTable): SourceRow | 'duplicate' {
  const verdict = add(seen, ...entryOf(row.image));
  if (verdict === 'new') return row;
  if (verdict === 'same') return 'duplicate';
  if (verdict === 'other id' || row.image.id !== row.image.url) return sameId(row);
  const renamed = withOwnId(row);
  if (!('image' in renamed)) return renamed;
  const again = add(seen, ...entryOf(renamed.image));
  if (again === 'same') return 'duplicate';
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

/** 64 bits: among a hundred million ids, any two that differ are taken for the same with a probability of 3e-4. */
type Fingerprint = readonly [high: number, low: number];

/** Of a URL that is its own id and has no meta. */
const BARE: Fingerprint = [1, 0];

/** The id, and what else the row says: whether the URL is the id stands in the lowest bit. */
function entryOf({ id, url, meta }: ImageRef): [key: Fingerprint, value: Fingerprint] {
  const bare = id === url;
  if (bare && meta === undefined) return [fingerprint(id), BARE];
  const json = meta === undefined ? '' : JSON.stringify(meta);
  const [high, low] = fingerprint(bare ? json : `${url}\n${json}`);
  return [fingerprint(id), [(bare ? high | 1 : high & ~1) >>> 0, low]];
}

/** Without it, ids could be made that are taken for duplicates of others: 64 bits are few. */
const SALT = randomBytes(8).toString('hex');

function fingerprint(text: string): Fingerprint {
  const digest = hash('sha1', SALT + text, 'buffer');
  return [digest.readUInt32LE(0) || 1, digest.readUInt32LE(4)];
}

/** Two numbers of the id's hash, and two of what else the row says. */
const FIELDS = 4;

/** `other meta`: the id was there as the id of its own URL; `other id`: as one that was given. */
type Verdict = 'new' | 'same' | 'other meta' | 'other id';

/** Takes up a row whose id is new. Of another one: whether it was there with the same value, or what that was. */
function add(seen: SpillingTable, [high, low]: Fingerprint, [valueHigh, valueLow]: Fingerprint): Verdict {
  const there = seen.find(high, low);
  if (there === undefined) {
    seen.insert([high, low, valueHigh, valueLow]);
    return 'new';
  }
  const [, , thereHigh = 0, thereLow] = there;
  if (thereHigh === valueHigh && thereLow === valueLow) return 'same';
  return thereHigh & 1 ? 'other meta' : 'other id';
}
