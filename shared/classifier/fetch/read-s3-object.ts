import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { type ErrorCode, ImageFailure } from '../../contract/error-codes.ts';
import { MAX_IMAGE_BYTES } from '../../contract/limits.ts';
import { isUploadKey } from '../../contract/object-keys.ts';
import { parseS3Url } from '../../contract/urls.ts';
import { readBody } from './body-bytes.ts';
import { decodeContent } from './content-coding.ts';

/** Reads an object of S3 as an image. */
export type ObjectReader = { read(url: string, signal: AbortSignal): Promise<Buffer | ImageFailure> };

/**
 * @param sourceBuckets buckets whose objects may all be read
 * @param resultsBucket the bucket of which only uploaded folders may be read
 */
export function createObjectReader(
  s3: S3Client,
  sourceBuckets: readonly string[],
  resultsBucket?: string,
): ObjectReader {
  const allowed = new Set(sourceBuckets);
  return {
    async read(url, signal) {
      const { bucket, key } = parseS3Url(url) ?? {};
      if (bucket === undefined || key === undefined) {
        return new ImageFailure('invalid_url', 'expected s3://bucket/key');
      }
      const isUpload = bucket === resultsBucket && isUploadKey(key);
      if (!allowed.has(bucket) && !isUpload) {
        return new ImageFailure('bucket_not_allowed', `expected one of the source buckets, got ${bucket}`);
      }
      return readObject(s3, bucket, key, signal);
    },
  };
}

async function readObject(
  s3: S3Client,
  bucket: string,
  key: string,
  signal: AbortSignal,
): Promise<Buffer | ImageFailure> {
  try {
    // One byte more than the limit, to distinguish a body at the limit from a larger one.
    const range = `bytes=0-${MAX_IMAGE_BYTES}`;
    const { Body, ContentEncoding } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: range }), {
      abortSignal: signal,
    });
    const bytes = await readBody((Body ?? Readable.from([])) as Readable);
    return bytes instanceof ImageFailure ? bytes : await decodeContent(bytes, ContentEncoding);
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    // S3 responds to a range of an empty object with 416.
    if (error.name === 'InvalidRange') return Buffer.alloc(0);
    return new ImageFailure(codeOfS3Error(error), `S3 answered ${error.name}`);
  }
}

function codeOfS3Error(error: S3ServiceException): ErrorCode {
  const status = error.$metadata.httpStatusCode ?? 500;
  if (error.name === 'SlowDown' || status === 429) return 'rate_limited';
  if (status === 404) return 'not_found';
  if (status === 401 || status === 403) return 'forbidden';
  return status >= 500 ? 'server_error' : 'http_error';
}
