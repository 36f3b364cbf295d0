import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import type { JobTarget } from '../job-target.ts';
import type { Part } from '../list-parts.ts';
import { readObject } from '../read-object.ts';
import { withMarkedNumbers } from './exact-numbers.ts';
import { withWholeCharacters } from './whole-characters.ts';

/** S3 gives each connection tens of megabytes a second; more of them help until the disk is busy. */
const DOWNLOADS_AT_ONCE = 16;
/** What lies on disk at once, twice over: one batch is read while the next one comes. */
const MAX_BATCH_BYTES = 256 * 1_000_000;
const MAX_BATCH_FILES = 2_000;

/** Part files on this disk; they go when the next batch is asked for. */
export type PartBatch = { files: string[]; lines: number };

/** Downloads part files in batches of bounded size, one ahead of the reader. */
export async function* downloadParts(
  target: JobTarget,
  parts: readonly Part[],
  folder: string,
): AsyncGenerator<PartBatch> {
  const batches = batchesOf(parts);
  const start = (index: number) => {
    const download = downloadBatch(target, batches[index] ?? [], join(folder, `batch-${index}`));
    // Whoever awaits it sees the error; nobody does when the reader gives up first.
    download.catch(() => undefined);
    return download;
  };
  let next = start(0);
  for (const [index, batch] of batches.entries()) {
    const files = await next;
    next = start(index + 1);
    yield { files, lines: batch.reduce((sum, { lines }) => sum + lines, 0) };
    await rm(join(folder, `batch-${index}`), { recursive: true });
  }
  await next;
}

function batchesOf(parts: readonly Part[]): Part[][] {
  const batches: Part[][] = [];
  let batch: Part[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (batch.length === MAX_BATCH_FILES || (batch.length > 0 && bytes + part.bytes > MAX_BATCH_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(part);
    bytes += part.bytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

async function downloadBatch(
  { s3, resultsBucket }: JobTarget,
  parts: readonly Part[],
  folder: string,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  return pMap(
    parts,
    async ({ key }, index) => {
      const file = join(folder, `${index}.jsonl`);
      const lines = withMarkedNumbers(withWholeCharacters(await readPart(s3, resultsBucket, key)));
      await writeFile(file, lines, { mode: 0o600 });
      return file;
    },
    { concurrency: DOWNLOADS_AT_ONCE },
  );
}

/** Empty when it is gone since it was listed: a redrive takes failures away. */
async function readPart(s3: S3Client, Bucket: string, Key: string): Promise<Buffer> {
  try {
    return await readObject(s3, Bucket, Key);
  } catch (error) {
    if (error instanceof NoSuchKey) return Buffer.alloc(0);
    throw error;
  }
}
