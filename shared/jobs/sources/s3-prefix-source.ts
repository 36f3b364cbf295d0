import type { S3Client } from '@aws-sdk/client-s3';
import picomatch from 'picomatch';
import { listObjects } from '../list-objects.ts';
import { type SourceRow, toSourceRow } from './source-row.ts';

/** Keys and paths with these endings are taken for images; what they hold shows when they are decoded. */
export const IMAGE_FILES = '**/*.{jpg,jpeg,jpe,png,webp,gif,avif,tif,tiff}';

/** Which of the names under a prefix or folder are meant; globs are relative to it, and ignore case. */
export type NameFilter = { include: readonly string[]; exclude: readonly string[] };

/** @returns whether a name, with `/` between its folders, is meant */
export function nameFilter({ include, exclude }: NameFilter): (name: string) => boolean {
  const options = { nocase: true, dot: true };
  const wanted = picomatch(include.length > 0 ? [...include] : [IMAGE_FILES], options);
  const unwanted = picomatch([...exclude], options);
  return (name) => wanted(name) && !(exclude.length > 0 && unwanted(name));
}

/** The bucket and prefix of `s3://bucket/prefix/`; undefined for anything else. */
export function parseS3Prefix(source: string): { bucket: string; prefix: string } | undefined {
  const { bucket, prefix } = /^s3:\/\/(?<bucket>[^/]+)\/(?<prefix>.*)$/is.exec(source)?.groups ?? {};
  return bucket === undefined || prefix === undefined ? undefined : { bucket, prefix };
}

/** Every image under a prefix, in the order of the keys: a request per 1,000 of them. */
export async function* readS3Prefix(
  s3: S3Client,
  { bucket, prefix }: { bucket: string; prefix: string },
  filter: NameFilter,
): AsyncGenerator<SourceRow> {
  const wanted = nameFilter(filter);
  let line = 0;
  for await (const { Key = '' } of listObjects(s3, bucket, prefix)) {
    if (!wanted(Key.slice(prefix.length).replace(/^\//, ''))) continue;
    const url = `s3://${bucket}/${Key}`;
    yield toSourceRow(++line, url, { url }, undefined);
  }
}
