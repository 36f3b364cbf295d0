import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../../shared/contract/user-error.ts';
import type { SourceRow } from '../../../shared/jobs/source-row.ts';
import { ByteQueue } from './byte-queue.ts';
import type { ColumnChoice } from './columns.ts';
import { GZIP_MAGIC, gunzip, unzstd, ZSTD_MAGIC } from './compressed-members.ts';
import { readTable } from './csv-source.ts';
import { type Encoding, encodingOf } from './encoding.ts';
import { readLines } from './lines-source.ts';
import { notAList } from './not-a-list.ts';
import { SourceProblem, SourceReading } from './source-reading.ts';
import { textLines } from './text-lines.ts';

/** The content of a file does not match its name or its first bytes. */
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
  /** A label of the WHATWG Encoding Standard; by default detected in the first bytes, else UTF-8. */
  encoding?: string;
  /** For a table; by default detected in the header line. */
  delimiter?: string;
};

/** The format by file extension: `.csv`, `.tsv`, `.parquet`, each also `.gz` or `.zst`; else lines. */
export function formatOf(name: string): SourceFormat {
  const extension = /\.(csv|tsv|parquet)(\.gz|\.zst)?$/i.exec(name)?.[1]?.toLowerCase();
  return (extension as SourceFormat | undefined) ?? 'lines';
}

/**
 * The images of a file, in order. Streams: a million lines need no more memory than ten. Invalid rows are yielded as
 * such; errors of the whole file are thrown. gzip and zstd are detected by the first bytes, whatever the file name is.
 *
 * @param reading receives how the file was read
 * @throws {UnreadableSourceError}
 * @throws {ColumnError} when a table lacks a column
 */
export async function* readSource(file: SourceFile, reading = new SourceReading()): AsyncGenerator<SourceRow> {
  reading.begin();
  try {
    yield* rowsOf(file, reading);
  } catch (cause) {
    const problem = contentProblem(cause);
    throw problem === undefined ? cause : new UnreadableSourceError(`${file.path}: ${problem}`, { cause });
  }
}

/** The problem with the content of a file; undefined for other errors. */
function contentProblem(error: unknown): string | undefined {
  if (error instanceof SourceProblem) return error.message;
  if (!Error.isError(error)) return undefined;
  // DuckDB's message for a file that is not Parquet, or damaged; lines after the first quote our SQL.
  const [first = ''] = error.message.split('\n');
  return /^(Invalid Input|IO|Serialization) Error: /.test(first) ? `expected a Parquet file: ${first}` : undefined;
}

async function* rowsOf(file: SourceFile, reading: SourceReading): AsyncGenerator<SourceRow> {
  const bytes = await contentOf(file.path, reading);
  const head = await bytes.peek(HEAD_BYTES);
  if (file.format === 'parquet' || startsWith(head, PARQUET_MAGIC)) {
    yield* readParquetFile(file, bytes, reading);
    return;
  }
  const problem = await notAList(head);
  if (problem !== undefined) throw new SourceProblem(problem);
  const encoding = encodingOf(head, file.encoding);
  reading.encoding = encoding.label;
  await bytes.skip(encoding.bomBytes);
  if (file.format === 'lines') assertNotJsonDocument(head, encoding);
  yield* rowsOfText(file, bytes, encoding, reading);
}

function rowsOfText(
  { format, columns, delimiter, base }: SourceFile,
  bytes: ByteQueue,
  encoding: Encoding,
  reading: SourceReading,
): AsyncGenerator<SourceRow> {
  const lines = textLines(bytes.chunks(), encoding);
  if (format !== 'csv' && format !== 'tsv') return readLines(lines, base, reading);
  return readTable(lines, { kind: format, delimiter, columns, base }, reading);
}

/** Some formats and encodings are only recognized after several kilobytes. */
const HEAD_BYTES = 64 * 1024;
const PARQUET_MAGIC = Buffer.from('PAR1');

/** Otherwise a JSON document would be reported as many invalid lines. */
function assertNotJsonDocument(head: Buffer, { label }: Encoding): void {
  const start = new TextDecoder(label).decode(head).trimStart();
  const got = start.startsWith('[') ? 'a JSON array' : /^\{\s*[\r\n]/.test(start) && 'JSON over several lines';
  if (!got) return;
  throw new SourceProblem(
    `expected a URL or a JSON object per line, got ${got}: jq -c '.[]' FILE > FILE.jsonl writes a JSON array as lines`,
  );
}

/** The content of a file, unpacked. */
async function contentOf(path: string, reading: SourceReading): Promise<ByteQueue> {
  const start = await firstBytes(path);
  const bytes: AsyncIterable<Buffer> = createReadStream(path);
  const onTrailing = () => {
    reading.warnings.add('bytes after the end of the compressed data were left out');
  };
  reading.compression = startsWith(start, GZIP_MAGIC) ? 'gzip' : startsWith(start, ZSTD_MAGIC) ? 'zstd' : undefined;
  if (reading.compression === undefined) return new ByteQueue(bytes);
  return new ByteQueue(reading.compression === 'gzip' ? gunzip(bytes, onTrailing) : unzstd(bytes, onTrailing));
}

async function firstBytes(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(ZSTD_MAGIC.length));
  return buffer.subarray(0, bytesRead);
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.subarray(0, start.length).equals(start);
}

/** Parquet is read from its end, so a compressed file is unpacked first. */
async function* readParquetFile(
  { path, columns, base }: SourceFile,
  content: ByteQueue,
  reading: SourceReading,
): AsyncGenerator<SourceRow> {
  // Imported here because DuckDB's binary is slow to load.
  const { readParquet } = await import('./parquet-source.ts');
  if (reading.compression === undefined) {
    await content.close();
    yield* readParquet(path, columns, base, reading);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'labelqueue-'));
  try {
    const unpacked = join(folder, 'source.parquet');
    await pipeline(content.chunks(), createWriteStream(unpacked));
    yield* readParquet(unpacked, columns, base, reading);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
