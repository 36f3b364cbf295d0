import { DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../contract/user-error.ts';

/** S3 did not delete an object. */
export class DeleteError extends UserError {
  override readonly name = 'DeleteError';
}

/** S3 limit: keys per request. */
const MAX_KEYS = 1_000;

/**
 * Deletes objects; missing ones are not an error.
 *
 * @throws {DeleteError} when S3 does not delete one; a retry continues
 */
export async function deleteObjects(s3: S3Client, Bucket: string, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += MAX_KEYS) {
    const Objects = keys.slice(start, start + MAX_KEYS).map((Key) => ({ Key }));
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    const [first] = Errors;
    if (first === undefined) continue;
    throw new DeleteError(
      `expected S3 to delete ${Objects.length} objects, ${Errors.length} failed: ${first.Key}: ${first.Code} ${first.Message ?? ''}`,
    );
  }
}
