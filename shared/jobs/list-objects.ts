import { type _Object, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../contract/user-error.ts';

/** A listing that is incomplete. */
export class ListingError extends UserError {
  override readonly name = 'ListingError';
}

/** The keys to list: those with the prefix. */
export type ListingOf = {
  prefix: string;
  startAfter?: string | undefined;
  /** Ends the listing with an `AbortError`. */
  signal?: AbortSignal | undefined;
};

/** The objects of one request, and whether there are more. */
export type ListingPage = { objects: _Object[]; isLast: boolean };

/** The objects below a prefix; see `listPages`. */
export async function* listObjects(s3: S3Client, bucket: string, prefix: string): AsyncGenerator<_Object> {
  for await (const { objects } of listPages(s3, bucket, { prefix })) yield* objects;
}

/**
 * The objects below a prefix, a request per 1,000. A page continues after the last key of the previous one, so a server that
 * sorts keys differently than it compares them leaves objects out; that is detected here.
 *
 * @throws {ListingError} when pages are not in order, or have fewer objects than they state
 */
export async function* listPages(
  s3: S3Client,
  Bucket: string,
  { prefix: Prefix, startAfter: StartAfter, signal }: ListingOf,
): AsyncGenerator<ListingPage> {
  const order = new KeyOrder(Bucket, Prefix);
  const pages = paginateListObjectsV2({ client: s3 }, { Bucket, Prefix, StartAfter }, { abortSignal: signal });
  for await (const { Contents = [], KeyCount, IsTruncated = false } of pages) {
    if (KeyCount !== undefined && KeyCount !== Contents.length) throw tooFew(Bucket, Prefix, KeyCount, Contents.length);
    order.check(Contents);
    yield { objects: Contents, isLast: !IsTruncated };
  }
}

/** Checks that pages are in order. A single page may be in any order, since nothing follows it. */
class KeyOrder {
  readonly #bucket: string;
  readonly #prefix: string;
  #last = '';
  #pages = 0;
  #isSorted = true;

  constructor(bucket: string, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  check(page: readonly _Object[]): void {
    this.#pages++;
    for (const { Key = '' } of page) {
      this.#isSorted &&= follows(Key, this.#last);
      if (!this.#isSorted && this.#pages > 1) throw outOfOrder(this.#bucket, this.#prefix, Key, this.#last);
      this.#last = Key;
    }
  }
}

/** In UTF-8 order, as S3 sorts, or in UTF-16 order, as servers written in JavaScript do. */
function follows(key: string, last: string): boolean {
  return key > last || Buffer.compare(Buffer.from(key), Buffer.from(last)) > 0;
}

function tooFew(bucket: string, prefix: string, expected: number, got: number): ListingError {
  return new ListingError(
    `expected ${expected} objects in a page of the listing of ${bucket}/${prefix}, got ${got}: try again`,
  );
}

function outOfOrder(bucket: string, prefix: string, key: string, last: string): ListingError {
  return new ListingError(
    `expected the listing of ${bucket}/${prefix} in the order of its keys, got ${JSON.stringify(key)} after ${JSON.stringify(last)}: this server leaves objects out of listings of more than 1,000`,
  );
}
