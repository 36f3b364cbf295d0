import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../contract/user-error.ts';

/** The connection broke in every attempt to read an object. */
export class BrokenDownloadError extends UserError {
  override readonly name = 'BrokenDownloadError';
}

const ATTEMPTS = 5;

/**
 * Reads a whole object. The SDK retries what fails before the first byte; a connection that breaks later is retried here.
 *
 * @throws {BrokenDownloadError}
 */
export async function readObject(s3: S3Client, Bucket: string, Key: string): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    try {
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    } catch (error) {
      if (attempt < ATTEMPTS) continue;
      const reason = Error.isError(error) ? error.message : 'no reason';
      throw new BrokenDownloadError(`the connection broke while reading s3://${Bucket}/${Key}: ${reason}; try again`, {
        cause: error,
      });
    }
  }
}
