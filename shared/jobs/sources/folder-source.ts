import { createReadStream } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { uploadPrefix } from '../../contract/object-keys.ts';
import type { JobTarget } from '../job-target.ts';
import { type NameFilter, nameFilter } from './s3-prefix-source.ts';
import { type SourceRow, toSourceRow } from './source-row.ts';

const UPLOADS_AT_ONCE = 8;

/** The images of a folder and the folders in it, by the names that they get in the bucket. */
export async function* readFolder(
  folder: string,
  job: string,
  resultsBucket: string,
  filter: NameFilter,
): AsyncGenerator<SourceRow> {
  let line = 0;
  for (const name of await imageNames(folder, filter)) {
    const url = `s3://${resultsBucket}/${uploadPrefix(job)}${name}`;
    yield toSourceRow(++line, join(folder, name), { id: name, url }, undefined);
  }
}

/** Puts the images of a folder where `readFolder` says they are. */
export async function uploadFolder(
  { s3, resultsBucket }: JobTarget,
  folder: string,
  job: string,
  filter: NameFilter,
  onProgress: (files: number, of: number) => void,
): Promise<void> {
  const names = await imageNames(folder, filter);
  let done = 0;
  await pMap(
    names,
    async (name) => {
      const path = join(folder, name);
      const { size } = await stat(path);
      const Key = `${uploadPrefix(job)}${name}`;
      const Body = createReadStream(path);
      await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key, Body, ContentLength: size }));
      onProgress(++done, names.length);
    },
    { concurrency: UPLOADS_AT_ONCE },
  );
}

/** Sorted: the order must be the same when the job is resumed. */
async function imageNames(folder: string, filter: NameFilter): Promise<string[]> {
  const wanted = nameFilter(filter);
  const names: string[] = [];
  for await (const path of glob('**/*', { cwd: folder })) {
    const name = path.split(sep).join('/');
    if (wanted(name)) names.push(name);
  }
  return names.sort();
}
