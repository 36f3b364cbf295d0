import { S3Store } from './fauxqs-parts.ts';

/**
 * Listings of the embedded S3 in the order of S3. fauxqs 2.4.1 sorts keys by locale ("a" before "B") and continues
 * after the last key of a page by code units ("B" before "a"): pages then skip objects if names mix case. This file
 * patches its store.
 */
type StoredObject = { key: string };
type ListOptions = { prefix?: string; delimiter?: string; maxKeys?: number; startAfter?: string; marker?: string };
type Listing = { objects: StoredObject[]; commonPrefixes: string[]; isTruncated: boolean };
type Store = {
  buckets: Map<string, Map<string, StoredObject>>;
  listObjects(bucket: string, options?: ListOptions): Listing;
};

const MAX_KEYS = 1_000;

// `buckets` is private there.
const store = S3Store.prototype as unknown as Store;
const listUnsorted = store.listObjects;

store.listObjects = function listObjects(bucket, options = {}) {
  const objects = this.buckets.get(bucket);
  // Let fauxqs report a bucket that does not exist.
  return objects === undefined ? listUnsorted.call(this, bucket, options) : sortedPage(objects.values(), options);
};

function sortedPage(all: Iterable<StoredObject>, options: ListOptions): Listing {
  const { prefix = '', delimiter = '', maxKeys = MAX_KEYS } = options;
  const after = options.startAfter ?? options.marker ?? '';
  const page: Listing = { objects: [], commonPrefixes: [], isTruncated: false };
  const matching = [...all].filter(({ key }) => key.startsWith(prefix) && key > after).sort(byKey);
  for (const object of matching) {
    const common = commonPrefix(object.key, prefix, delimiter);
    if (common !== undefined && (common <= after || common === page.commonPrefixes.at(-1))) continue;
    if (page.objects.length + page.commonPrefixes.length === maxKeys) return { ...page, isTruncated: true };
    if (common === undefined) page.objects.push(object);
    else page.commonPrefixes.push(common);
  }
  return page;
}

function byKey({ key: one }: StoredObject, { key: other }: StoredObject): number {
  return one < other ? -1 : 1;
}

/** The key up to the first delimiter after the prefix; undefined for a key without one. */
function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}
