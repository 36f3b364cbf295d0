import { stat } from 'node:fs/promises';
import { fetchImage } from '../../shared/classifier/fetch/fetch-image.ts';
import { createImageClient } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';
import { readImageFile } from '../image-file.ts';
import type { LabeledPhoto } from './labeled-photo.ts';
import { isUrl } from './read-table.ts';

/** Reads photos: files directly, URLs by the rules of the worker. */
export type PhotoReader = {
  read(photo: LabeledPhoto): Promise<Buffer | ImageFailure>;
  close(): Promise<void>;
};

export function createPhotoReader(settings: ClassifierSettings): PhotoReader {
  const http = createImageClient(settings);
  const sources = { http, s3: createObjectReader(createS3Client(), settings.sourceBuckets) };
  const never = new AbortController().signal;
  const timeoutMs = settings.fetchTimeoutSeconds * 1_000;
  return {
    read: ({ source }) => (isUrl(source) ? fetchImage(source, sources, never, { timeoutMs }) : readFileOnly(source)),
    close: () => http.close(),
  };
}

/** Reading a pipe could block forever. */
async function readFileOnly(path: string): Promise<Buffer | ImageFailure> {
  try {
    const there = await stat(path);
    if (!there.isFile() && !there.isDirectory()) {
      return new ImageFailure('not_an_image', 'expected a file, got a device or a pipe');
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') return new ImageFailure('not_found', 'a loop of symbolic links');
    if (code === 'ENAMETOOLONG' || code === 'ENOTDIR') return new ImageFailure('not_found', 'no such file');
  }
  return readImageFile(path);
}
