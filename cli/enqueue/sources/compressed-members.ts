import type { Transform } from 'node:stream';
import { crc32, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { ByteQueue } from './byte-queue.ts';
import { SourceProblem } from './source-reading.ts';

/** A zlib stream. */
type Engine = Transform & { readonly bytesWritten: number };

/** RFC 1952, 2.3.1: ID1 and ID2. */
export const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
/** RFC 8878, 3.1.1. */
export const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** RFC 8878, 3.1.2: the first byte's lower half is free. */
const ZSTD_SKIPPABLE = Buffer.from([0x2a, 0x4d, 0x18]);

const TRAILER_BYTES = 8;

/** Bytes that are unpacked at once. */
const OUTPUT = { chunkSize: 64 * 1024 };

/**
 * Unpacks a gzip file with any number of members. Node's own `createGunzip` fails on bytes after the last member, and
 * loses unpacked data with them.
 *
 * @param onTrailing called when such bytes were left out
 * @throws {SourceProblem}
 */
export async function* gunzip(bytes: AsyncIterable<Buffer>, onTrailing: () => void): AsyncGenerator<Buffer> {
  const input = new ByteQueue(bytes);
  do {
    await skipGzipHeader(input);
    let checksum = 0;
    for await (const output of unpackOne(createInflateRaw(OUTPUT) as unknown as Engine, input, 'gzip')) {
      checksum = crc32(output, checksum);
      yield output;
    }
    const trailer = await input.take(TRAILER_BYTES);
    if (trailer.length < TRAILER_BYTES) throw truncated('gzip');
    if (trailer.readUInt32LE(0) !== checksum)
      throw new SourceProblem('expected an intact gzip file, its checksum is wrong');
  } while (startsWith(await input.peek(GZIP_MAGIC.length), GZIP_MAGIC));
  await reportRest(input, onTrailing);
}

/** As `gunzip`, for zstd: `createZstdDecompress` reads one frame and silently drops the others. */
export async function* unzstd(bytes: AsyncIterable<Buffer>, onTrailing: () => void): AsyncGenerator<Buffer> {
  const input = new ByteQueue(bytes);
  for (;;) {
    const magic = await input.peek(ZSTD_MAGIC.length);
    if (magic.length === 4 && startsWith(magic.subarray(1), ZSTD_SKIPPABLE)) await skipZstdFrame(input);
    else if (startsWith(magic, ZSTD_MAGIC))
      yield* unpackOne(createZstdDecompress(OUTPUT) as unknown as Engine, input, 'zstd');
    else break;
  }
  await reportRest(input, onTrailing);
}

async function skipZstdFrame(input: ByteQueue): Promise<void> {
  const header = await input.take(8);
  if (header.length < 8) throw truncated('zstd');
  await input.skip(header.readUInt32LE(4));
}

/** Padding with zeros is usual on tapes and block devices. */
async function reportRest(input: ByteQueue, onTrailing: () => void): Promise<void> {
  const [first] = await input.peek(1);
  if (first !== undefined && first !== 0) onTrailing();
}

/** RFC 1952, 2.3. */
async function skipGzipHeader(input: ByteQueue): Promise<void> {
  const header = await input.take(10);
  if (header.length < 10) throw truncated('gzip');
  if (header[2] !== 8) throw new SourceProblem('expected an intact gzip file, its header is wrong');
  const flags = header[3] ?? 0;
  if (flags & 4) await input.skip((await input.take(2)).readUInt16LE(0));
  if (flags & 8) await input.skipThroughZero();
  if (flags & 16) await input.skipThroughZero();
  if (flags & 2) await input.skip(2);
}

/**
 * Unpacks to the end of one member or frame, and leaves what comes after it in the queue. Unpacks only as fast as the
 * output is taken: a few kilobytes of zstd may be gigabytes of text.
 */
async function* unpackOne(engine: Engine, input: ByteQueue, what: 'gzip' | 'zstd'): AsyncGenerator<Buffer> {
  let inputError: unknown;
  const fed = feed(engine, input).catch((error) => {
    inputError = error;
    engine.destroy(error);
  });
  try {
    for await (const output of engine) yield output;
  } catch (cause) {
    if (cause === inputError) throw cause;
    throw engine.writableEnded ? truncated(what) : broken(cause as Error, what);
  } finally {
    engine.destroy();
  }
  await fed;
}

/**
 * Writes until the member has ended, which shows by unconsumed bytes, and puts these back. May never settle if the
 * engine fails earlier.
 */
async function feed(engine: Engine, input: ByteQueue): Promise<void> {
  for (let chunk = await input.chunk(); chunk !== undefined; chunk = await input.chunk()) {
    const before = engine.bytesWritten;
    await written(engine, chunk);
    const taken = engine.bytesWritten - before;
    if (taken < chunk.length) input.putBack(chunk.subarray(taken));
    if (taken < chunk.length || engine.destroyed) return;
  }
  engine.end();
}

/** Waits until a chunk is unpacked, or the member has ended within it: then zlib may never call back. */
function written(engine: Engine, chunk: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  engine.once('end', resolve);
  engine.write(chunk, () => resolve());
  return promise.finally(() => engine.off('end', resolve));
}

function broken(cause: Error, what: string): SourceProblem {
  return new SourceProblem(`expected an intact ${what} file, got a damaged one (${cause.message})`, { cause });
}

function truncated(what: 'gzip' | 'zstd'): SourceProblem {
  return new SourceProblem(`expected a complete ${what} file, got a truncated one`);
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.subarray(0, start.length).equals(start);
}
