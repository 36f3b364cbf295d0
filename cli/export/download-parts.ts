import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import pMap, { pMapIterable } from 'p-map';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { Part } from '../../shared/jobs/list-parts.ts';
import { escapeLoneSurrogates } from '../../shared/jobs/lone-surrogates.ts';
import { readObject } from '../../shared/jobs/read-object.ts';
import { withMarkedNumbers } from './exact-numbers.ts';

/** S3 gives each connection tens of megabytes a second; more of them help until the disk is busy. */
const DOWNLOADS_AT_ONCE = 32;
/** What lies on disk at once, twice over: one batch is read while the next one comes. */
const MAX_BATCH_BYTES = 256 * 1_000_000;
const MAX_BATCH_FILES = 2_000;
/** What may be on its way at once: with embeddings a part has some four megabytes, and each is in memory three times for a moment. */
const MAX_BYTES_ON_THEIR_WAY = 24 * 1_000_000;

/** Part files on this disk; they go when the next batch is asked for. */
export type PartBatch = { files: string[]; folder: string; lines: number };

/** What becomes of the lines of a part file before they are loaded. */
export type RewriteLines = (lines: Buffer) => Buffer | Promise<Buffer>;

/** Downloads part files in batches of bounded size, one ahead of the reader; lists no further than that. */
export async function* downloadParts(
  target: JobTarget,
  parts: AsyncIterable<Part>,
  folder: string,
  rewrite: RewriteLines = (lines) => lines,
): AsyncGenerator<PartBatch> {
  const download = async (batch: Part[]): Promise<PartBatch> => {
    const into = await mkdtemp(join(folder, 'batch-'));
    const lines = batch.reduce((sum, part) => sum + part.lines, 0);
    return { files: await downloadBatch(target, batch, into, rewrite), folder: into, lines };
  };
  // One is being read, and the next one downloaded.
  for await (const batch of pMapIterable(batchesOf(parts), download, { concurrency: 1, backpressure: 1 })) {
    yield batch;
    await rm(batch.folder, { recursive: true });
  }
}

async function* batchesOf(parts: AsyncIterable<Part>): AsyncGenerator<Part[]> {
  let batch: Part[] = [];
  let bytes = 0;
  for await (const part of parts) {
    if (batch.length === MAX_BATCH_FILES || (batch.length > 0 && bytes + part.bytes > MAX_BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(part);
    bytes += part.bytes;
  }
  if (batch.length > 0) yield batch;
}

async function downloadBatch(
  { s3, resultsBucket }: JobTarget,
  parts: readonly Part[],
  folder: string,
  rewrite: RewriteLines,
): Promise<string[]> {
  return pMap(
    parts,
    async ({ key }, index) => {
      const file = join(folder, `${index}.jsonl`);
      const lines = withMarkedNumbers(escapeLoneSurrogates(await rewrite(await readPart(s3, resultsBucket, key))));
      await writeFile(file, lines, { mode: 0o600 });
      return file;
    },
    { concurrency: downloadsAtOnce(parts) },
  );
}

function downloadsAtOnce(parts: readonly Part[]): number {
  const largest = parts.reduce((most, { bytes }) => Math.max(most, bytes), 1);
  return Math.max(1, Math.min(DOWNLOADS_AT_ONCE, Math.floor(MAX_BYTES_ON_THEIR_WAY / largest)));
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
