import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ColumnChoice } from './columns.ts';
import { readCsv } from './csv-source.ts';
import { readLines } from './lines-source.ts';
import type { SourceRow } from './source-row.ts';

export type SourceFormat = 'lines' | 'csv' | 'tsv' | 'parquet';

/** A file to read images from, on this machine. */
export type SourceFile = {
  path: string;
  format: SourceFormat;
  gzip: boolean;
  columns: ColumnChoice;
  /** What relative URLs are resolved against. */
  base?: URL;
};

/** What the end of a file's name says of its content: `.csv`, `.tsv`, `.parquet`, each also `.gz`; else lines. */
export function formatOf(name: string): Pick<SourceFile, 'format' | 'gzip'> {
  const gzip = /\.gz$/i.test(name);
  const extension = /\.(csv|tsv|parquet)(\.gz)?$/i.exec(name)?.[1]?.toLowerCase();
  return { format: (extension as SourceFormat | undefined) ?? 'lines', gzip };
}

/**
 * The images of a file, in order. Streams: a million lines need no more memory than ten. Rows that
 * name no image are given as such; what is wrong with the file as a whole is thrown.
 */
export async function* readSource(file: SourceFile): AsyncGenerator<SourceRow> {
  const { format, path, columns, base } = file;
  if (format === 'parquet') yield* readParquetFile(file);
  else if (format === 'csv') yield* readCsv(open(file), ',', columns, base);
  else if (format === 'tsv') yield* readCsv(open(file), '\t', columns, base);
  else yield* readLines(open({ ...file, path }), base);
}

function open({ path, gzip }: SourceFile): Readable {
  const bytes = createReadStream(path);
  if (!gzip) return bytes;
  const text = createGunzip();
  bytes.once('error', (error) => text.destroy(error));
  return bytes.pipe(text);
}

/** Parquet is read from its end, so a compressed file is unpacked first. */
async function* readParquetFile(file: SourceFile): AsyncGenerator<SourceRow> {
  // Only now: DuckDB's binary takes its time to load.
  const { readParquet } = await import('./parquet-source.ts');
  if (!file.gzip) {
    yield* readParquet(file.path, file.columns, file.base);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'labelqueue-'));
  try {
    const path = join(folder, 'source.parquet');
    await pipeline(open(file), createWriteStream(path));
    yield* readParquet(path, file.columns, file.base);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
