import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import pMap, { pMapSkip } from 'p-map';
import { uploadPrefix } from '../../../shared/contract/object-keys.ts';
import type { JobTarget } from '../../../shared/jobs/job-target.ts';
import { type SourceRow, toSourceRow } from '../../../shared/jobs/source-row.ts';
import { filesIn } from './folder-files.ts';
import { type NameFilter, nameFilter } from './name-filter.ts';
import { SourceReading } from './source-reading.ts';

const UPLOADS_AT_ONCE = 8;
/** S3's own limit on a key. */
const MAX_KEY_BYTES = 1_024;

/** A folder, and the job of its images. */
export type ImageFolder = { path: string; job: string; filter: NameFilter };

/**
 * The images of a folder and the folders in it, with their URLs in the bucket.
 *
 * @param reading counts what is left out
 */
export async function* readFolder(
  folder: ImageFolder,
  resultsBucket: string,
  reading = new SourceReading(),
): AsyncGenerator<SourceRow> {
  reading.begin();
  let line = 0;
  for await (const name of imageNames(folder, reading)) {
    const url = `s3://${resultsBucket}/${keyOf(folder, name)}`;
    reading.row = join(folder.path, name);
    yield toSourceRow(++line, reading.row, { id: name, url }, undefined);
  }
}

/**
 * Uploads the images of a folder to the URLs of `readFolder`.
 *
 * @returns how many
 */
export async function uploadFolder({ s3, resultsBucket }: JobTarget, folder: ImageFolder): Promise<number> {
  let files = 0;
  await pMap(
    imageNames(folder, new SourceReading()),
    async (name) => {
      const path = join(folder.path, name);
      const { size } = await stat(path);
      const Body = createReadStream(path);
      const Key = keyOf(folder, name);
      await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key, Body, ContentLength: size }));
      files++;
      return pMapSkip;
    },
    { concurrency: UPLOADS_AT_ONCE },
  );
  return files;
}

function keyOf({ job }: ImageFolder, name: string): string {
  return `${uploadPrefix(job)}${name}`;
}

async function* imageNames(folder: ImageFolder, reading: SourceReading): AsyncGenerator<string> {
  const whyNot = nameFilter(folder.filter);
  const isSelected = (name: string) => {
    const reason =
      whyNot(name) ??
      (Buffer.byteLength(keyOf(folder, name)) > MAX_KEY_BYTES
        ? `names that are too long for an S3 key (${MAX_KEY_BYTES} bytes)`
        : undefined);
    if (reason !== undefined) reading.leaveOut(reason);
    return reason === undefined;
  };
  yield* filesIn(folder.path, isSelected, (reason) => reading.leaveOut(reason));
}
