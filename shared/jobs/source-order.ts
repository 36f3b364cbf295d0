import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { JobRun } from '../contract/job-run.ts';
import type { ImageRef } from '../contract/message.ts';
import { orderKey, orderPrefix } from '../contract/object-keys.ts';
import type { JobTarget } from './job-target.ts';
import { listObjects } from './list-objects.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** Ids per file: some megabytes, about one when compressed. */
const IDS_PER_FILE = 100_000;
/** Ids are similar: the fastest compression level is sufficient. */
const LEVEL = 1;

/**
 * Passes the images on, and records the order of their ids in `jobs/<job>/run=<run>/order-<n>.jsonl.gz`, one line
 * `{"n":0,"id":"…"}` per image. Result lines are unordered; exports restore the order from these files. The last file is
 * written before the iteration ends. A repetition writes the same files.
 */
export async function* recordOrder(
  { s3, resultsBucket }: Bucket,
  of: JobRun,
  images: AsyncIterable<ImageRef>,
): AsyncGenerator<ImageRef> {
  let file = 0;
  let n = 0;
  let open = newOrderFile();
  const write = async () => {
    const Key = orderKey(of, file++);
    const Body = await open.end();
    open = newOrderFile();
    await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key, Body, ContentType: 'application/gzip' }));
  };
  for await (const image of images) {
    await open.add(`${JSON.stringify({ n: n++, id: image.id })}\n`);
    if (n % IDS_PER_FILE === 0) await write();
    yield image;
  }
  if (n % IDS_PER_FILE > 0) await write();
}

/** Characters per write to the compressor. */
const TEXT_PER_WRITE = 64 * 1024;

/** Compresses incrementally: only compressed data stays in memory. */
function newOrderFile(): { add(line: string): Promise<void> | void; end(): Promise<Buffer> } {
  const gzip = createGzip({ level: LEVEL });
  const compressed = buffer(gzip);
  let text = '';
  return {
    add(line) {
      text += line;
      if (text.length < TEXT_PER_WRITE) return;
      const full = text;
      text = '';
      return new Promise<void>((resolve, reject) => gzip.write(full, (error) => (error ? reject(error) : resolve())));
    },
    end() {
      gzip.end(text);
      return compressed;
    },
  };
}

/** The keys of the files of `recordOrder`; empty for a job that was not enqueued with the command. */
export async function orderKeys({ s3, resultsBucket: Bucket }: Bucket, of: JobRun): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Key = '' } of listObjects(s3, Bucket, orderPrefix(of))) keys.push(Key);
  return keys;
}
