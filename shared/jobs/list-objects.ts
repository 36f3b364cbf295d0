import { type _Object, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../contract/user-error.ts';

/** A listing that cannot be whole. */
export class ListingError extends UserError {
  override readonly name = 'ListingError';
}

/**
 * The objects below a prefix: a request per 1,000 of them. A page goes on after the last key of the one before, so
 * a server that sorts in another way than it compares leaves objects out; that is noticed here.
 *
 * @throws {ListingError} when pages do not follow each other, or have fewer objects than they say
 */
export async function* listObjects(s3: S3Client, Bucket: string, Prefix: string): AsyncGenerator<_Object> {
  let last = '';
  let pages = 0;
  let isSorted = true;
  for await (const { Contents = [], KeyCount } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) {
    if (KeyCount !== undefined && KeyCount !== Contents.length) throw tooFew(Bucket, Prefix, KeyCount, Contents.length);
    pages++;
    for (const object of Contents) {
      const { Key = '' } = object;
      isSorted &&= follows(Key, last);
      if (!isSorted && pages > 1) throw outOfOrder(Bucket, Prefix, Key, last);
      last = Key;
      yield object;
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
