import { hash, randomBytes } from 'node:crypto';
import { type ImageRef, idWithMeta } from '../contract/image-ref.ts';
import { MAX_ID_CHARS } from '../contract/limits.ts';
import { SpillingTable } from './fingerprints/spilling-table.ts';
import type { SourceRow } from './source-row.ts';

/** Callbacks per row, and how much memory is used. */
export type UniqueImagesOptions = {
  /** Called for each duplicate, which is left out. */
  onRepetition?: () => void;
  /** Called for each row that gets an id of its own. */
  onOwnId?: () => void;
  /** A power of two; when 70 % are in use, they are moved to a temporary file. */
  slotsInMemory?: number;
};

/**
 * The rows without duplicates, which have the same id, URL and meta: lists of URLs often contain some, and one outcome is
 * enough. A row whose id is its URL, and whose URL occurred before with other meta, gets an id of its own. A row with the id of
 * another, different row is invalid: their outcomes could not be distinguished.
 *
 * @throws {SpillError} when there is no room for a temporary file
 */
export async function* uniqueImages(
  rows: AsyncIterable<SourceRow>,
  { onRepetition, onOwnId, slotsInMemory }: UniqueImagesOptions = {},
): AsyncGenerator<SourceRow> {
  using seen = new SpillingTable(FIELDS, slotsInMemory);
  for await (const row of rows) {
    const judged = 'image' in row ? judge(row, seen) : row;
    if (judged === 'duplicate') {
      onRepetition?.();
      continue;
    }
    if ('image' in judged && judged !== row) onOwnId?.();
    yield judged;
  }
}

/** The row, the row with an id of its own, or an invalid row with the reason. */
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
 * A row of a bare URL with an id of its own: the URL and a digest of its meta, so that the id is the same every time.
 */
export function withOwnId(row: ImageRow): SourceRow {
  const id = idWithMeta(row.image);
  if (id.length > MAX_ID_CHARS) return { line: row.line, text: row.image.url, problem: NO_ROOM_FOR_ID };
  return { ...row, image: { ...row.image, id } };
}

type ImageRow = Extract<SourceRow, { image: ImageRef }>;

const NO_ROOM_FOR_ID = 'expected an id beside a long URL that occurs again in the list with other meta';

function sameId({ line, image }: ImageRow): SourceRow {
  const got = JSON.stringify(image.id.slice(0, 80));
  const problem = `expected each id for one URL only, got ${got} for another one again, or with other meta`;
  return { line, text: JSON.stringify(image), problem };
}

/** 64 bits: among a hundred million ids, any two collide with a probability of 3e-4. */
type Fingerprint = readonly [high: number, low: number];

/** The value of a URL that is its own id and has no meta. */
const BARE: Fingerprint = [1, 0];

/** The fingerprints of the id and of the rest of the row; the lowest bit tells whether the URL is the id. */
function entryOf({ id, url, meta }: ImageRef): [key: Fingerprint, value: Fingerprint] {
  const bare = id === url;
  if (bare && meta === undefined) return [fingerprint(id), BARE];
  const json = meta === undefined ? '' : JSON.stringify(meta);
  const [high, low] = fingerprint(bare ? json : `${url}\n${json}`);
  return [fingerprint(id), [(bare ? high | 1 : high & ~1) >>> 0, low]];
}

/** Prevents producers from choosing ids that collide: 64 bits are few. */
const SALT = randomBytes(8).toString('hex');

function fingerprint(text: string): Fingerprint {
  const digest = hash('sha1', SALT + text, 'buffer');
  return [digest.readUInt32LE(0) || 1, digest.readUInt32LE(4)];
}

/** Two numbers of the hash of the id, and two of the rest of the row. */
const FIELDS = 4;

/** `other meta`: the id occurred before as the id of its own URL; `other id`: as an explicit id. */
type Verdict = 'new' | 'same' | 'other meta' | 'other id';

/** Adds a row whose id is new; otherwise tells how the earlier row with this id differs. */
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
