import { type _Object, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../contract/user-error.ts';

/** A listing that cannot be whole. */
export class ListingError extends UserError {
  override readonly name = 'ListingError';
}

/** What is listed: keys that begin with the prefix. */
export type ListingOf = {
  prefix: string;
  startAfter?: string | undefined;
  /** Ends the listing with an `AbortError`. */
  signal?: AbortSignal | undefined;
};

/** One request's objects, and whether others follow. */
export type ListingPage = { objects: _Object[]; isLast: boolean };

/** The objects below a prefix: see `listPages`. */
export async function* listObjects(s3: S3Client, bucket: string, prefix: string): AsyncGenerator<_Object> {
  for await (const { objects } of listPages(s3, bucket, { prefix })) yield* objects;
}

/**
 * The objects below a prefix: a request per 1,000 of them. A page goes on after the last key of the one before, so
 * a server that sorts in another way than it compares leaves objects out; that is noticed here.
 *
 * @throws {ListingError} when pages do not follow each other, or have fewer objects than they say
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

/** Whether pages follow each other. A single page may be in any order: there is nothing after it. */
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

/** In the order of UTF-8, as S3 has it, or of UTF-16, as servers written in JavaScript do. */
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
    `expected the listing of ${bucket}/${prefix} in the order of its keys, got ${JSON.stringify(key)} after ${JSON.stringify(last)}: this S3 leaves objects out of listings of more than 1,000`,
  );
}
