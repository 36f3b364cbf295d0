import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { ImageRef } from '../../shared/contract/message.ts';
import { uploadPrefix } from '../../shared/contract/object-keys.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { formatOf, readSource } from '../enqueue/sources/read-source.ts';
import { CommandError } from '../terminal/user-errors.ts';

const SAMPLES = join(import.meta.dirname, '../../samples/photos');
/** Ordinary JPEGs of 451x300 to 640x427. */
const PHOTOS = ['coffee.jpg', 'chelsea.jpg', 'rocket.jpg', 'astronaut.jpg'];
/** They are used in rotation: more have no effect. */
const MAX_URLS = 100_000;

/**
 * The URLs of a list, as `enqueue` reads it.
 *
 * @throws {CommandError} when it has no URL, or an invalid row
 */
export async function urlsOf(path: string): Promise<string[]> {
  await stat(path);
  const columns = { urlColumn: undefined, idColumn: undefined, meta: false };
  const urls: string[] = [];
  for await (const row of readSource({ path, format: formatOf(path), columns })) {
    if ('problem' in row) throw new CommandError(`${path}, line ${row.line}: ${row.problem}`);
    if (urls.push(row.image.url) === MAX_URLS) break;
  }
  if (urls.length === 0) throw new CommandError(`${path}: expected at least one URL, the list has none`);
  return urls;
}

/**
 * Uploads photos to where images of a local folder go, which the workers of every stage may read; a purge of the job
 * removes them.
 *
 * @returns their URLs
 */
export async function uploadSamples({ s3, resultsBucket }: JobTarget, job: string): Promise<string[]> {
  return Promise.all(
    PHOTOS.map(async (name) => {
      const Key = `${uploadPrefix(job)}${name}`;
      const Body = await readFile(join(SAMPLES, name));
      await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key, Body, ContentType: 'image/jpeg' }));
      return `s3://${resultsBucket}/${Key}`;
    }),
  );
}

/** The given number of images, with URLs in rotation. */
export async function* imagesOf(urls: readonly string[], images: number): AsyncGenerator<ImageRef> {
  for (let number = 0; number < images; number++) {
    yield { id: `image-${String(number).padStart(6, '0')}`, url: urls[number % urls.length] as string };
  }
}
