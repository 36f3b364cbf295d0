import { DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../contract/user-error.ts';

/** S3 did not remove a file. */
export class DeleteError extends UserError {
  override readonly name = 'DeleteError';
}

/** S3's own limit on one request. */
const MAX_KEYS = 1_000;

/**
 * Removes objects; those that are gone already are no error.
 *
 * @throws {DeleteError} when S3 keeps one; trying again goes on
 */
export async function deleteObjects(s3: S3Client, Bucket: string, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += MAX_KEYS) {
    const Objects = keys.slice(start, start + MAX_KEYS).map((Key) => ({ Key }));
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    const [first] = Errors;
    if (first === undefined) continue;
    throw new DeleteError(
      `expected S3 to remove ${Objects.length} files, ${Errors.length} are still there: ${first.Key}: ${first.Code} ${first.Message ?? ''}`,
    );
  }
}
