import type { S3Client } from '@aws-sdk/client-s3';
import { listObjects } from '../../../shared/jobs/list-objects.ts';
import { type SourceRow, toSourceRow } from '../../../shared/jobs/source-row.ts';
import { type NameFilter, nameFilter } from './name-filter.ts';
import { SourceReading } from './source-reading.ts';

/**
 * Every image under a prefix, in the order of the keys: a request per 1,000 of them.
 *
 * @param reading counts the keys that are left out
 */
export async function* readS3Prefix(
  s3: S3Client,
  { bucket, prefix }: { bucket: string; prefix: string },
  filter: NameFilter,
  reading = new SourceReading(),
): AsyncGenerator<SourceRow> {
  reading.begin();
  const whyNot = nameFilter(filter);
  let line = 0;
  for await (const { Key = '', Size } of listObjects(s3, bucket, prefix)) {
    // S3 consoles create these to represent a folder.
    if (Key.endsWith('/') && Size === 0) continue;
    const reason = whyNot(Key.slice(prefix.length).replace(/^\//, ''));
    const url = `s3://${bucket}/${Key}`;
    reading.row = url;
    if (reason === undefined) yield toSourceRow(++line, url, { url }, undefined);
    else reading.leaveOut(reason);
  }
}
