import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../contract/user-error.ts';
import type { ColumnChoice } from './columns.ts';
import { readCsv } from './csv-source.ts';
import { readLines } from './lines-source.ts';
import type { SourceRow } from './source-row.ts';

/** A file that is not what its name or its first bytes promise. */
export class UnreadableSourceError extends UserError {
  override readonly name = 'UnreadableSourceError';
}

export type SourceFormat = 'lines' | 'csv' | 'tsv' | 'parquet';

/** A file to read images from, on this machine. */
export type SourceFile = {
  path: string;
  format: SourceFormat;
  columns: ColumnChoice;
  /** What relative URLs are resolved against. */
  base?: URL;
};

/** What the end of a file's name says of its content: `.csv`, `.tsv`, `.parquet`, each also `.gz`; else lines. */
export function formatOf(name: string): SourceFormat {
  const extension = /\.(csv|tsv|parquet)(\.gz)?$/i.exec(name)?.[1]?.toLowerCase();
  return (extension as SourceFormat | undefined) ?? 'lines';
}

/**
 * The images of a file, in order. Streams: a million lines need no more memory than ten. Rows that
 * name no image are given as such; what is wrong with the file as a whole is thrown. A file that is
 * compressed with gzip says so by its first bytes, whatever its name is.
 *
 * @throws {UnreadableSourceError}
 * @throws {ColumnError} when a table lacks a column
 */
export async function* readSource(file: SourceFile): AsyncGenerator<SourceRow> {
  try {
    yield* rowsOf(file);
  } catch (cause) {
    const problem = contentProblem(cause);
    throw problem === undefined ? cause : new UnreadableSourceError(`${file.path}: ${problem}`, { cause });
  }
}

/** What an error says of the content of a file; undefined when it is about something else. */
function contentProblem(error: unknown): string | undefined {
  if (!Error.isError(error)) return undefined;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith('Z_'))
    return `expected a whole gzip file, got one that ends or breaks in the middle (${message})`;
  // DuckDB says so of what is no Parquet, or of a damaged one; the lines after the first quote our SQL.
  const [first = ''] = message.split('\n');
  return /^(Invalid Input|IO|Serialization) Error: /.test(first) ? `expected a Parquet file: ${first}` : undefined;
}

async function* rowsOf(file: SourceFile): AsyncGenerator<SourceRow> {
  const { format, path, columns, base } = file;
  const gzip = await isGzip(path);
  if (format === 'parquet') yield* readParquetFile(file, gzip);
  else if (format === 'csv') yield* readCsv(contentOf(path, gzip), ',', columns, base);
  else if (format === 'tsv') yield* readCsv(contentOf(path, gzip), '\t', columns, base);
  else yield* readLines(contentOf(path, gzip), base);
}

/** RFC 1952, 2.3.1: ID1 and ID2. */
const GZIP_START = Buffer.from([0x1f, 0x8b]);

async function isGzip(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(GZIP_START.length));
  return bytesRead === GZIP_START.length && buffer.equals(GZIP_START);
}

function contentOf(path: string, gzip: boolean): Readable {
  const bytes = createReadStream(path);
  if (!gzip) return bytes;
  const text = createGunzip();
  bytes.once('error', (error) => text.destroy(error));
  return bytes.pipe(text);
}

/** Parquet is read from its end, so a compressed file is unpacked first. */
async function* readParquetFile({ path, columns, base }: SourceFile, gzip: boolean): AsyncGenerator<SourceRow> {
  // Only now: DuckDB's binary takes its time to load.
  const { readParquet } = await import('./parquet-source.ts');
  if (!gzip) {
    yield* readParquet(path, columns, base);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'labelqueue-'));
  try {
    const unpacked = join(folder, 'source.parquet');
    await pipeline(contentOf(path, gzip), createWriteStream(unpacked));
    yield* readParquet(unpacked, columns, base);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
