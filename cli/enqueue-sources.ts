import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { JobTarget } from '../shared/jobs/job-target.ts';
import { readFolder, uploadFolder } from '../shared/jobs/sources/folder-source.ts';
import { formatOf, readSource, type SourceFormat } from '../shared/jobs/sources/read-source.ts';
import { parseS3Prefix, readS3Prefix } from '../shared/jobs/sources/s3-prefix-source.ts';
import type { SourceRow } from '../shared/jobs/sources/source-row.ts';
import { interruption } from './interruption.ts';

export type SourceOptions = {
  format?: SourceFormat;
  urlColumn?: string;
  idColumn?: string;
  meta?: true;
  include?: string[];
  exclude?: string[];
};

/** What the arguments of `enqueue` name. It can be read more than once, and gives the same each time. */
export type EnqueueSource = AsyncDisposable & {
  /** An invalid row tells which source it is of, when there are several. */
  rows(): AsyncGenerator<SourceRow>;
  /** Puts local images where the rows say that they are. */
  upload(onProgress: (files: number, of: number) => void): Promise<void>;
};

export async function openSources(
  names: readonly string[],
  options: SourceOptions,
  target: JobTarget,
  job: string,
): Promise<EnqueueSource> {
  const sources: EnqueueSource[] = [];
  for (const name of names) sources.push(await openSource(name, options, target, job));
  return {
    async *rows() {
      if (sources.length === 1) yield* sources[0]?.rows() ?? [];
      else for (const [index, source] of sources.entries()) yield* namingSource(source.rows(), names[index] ?? '');
    },
    async upload(onProgress) {
      for (const source of sources) await source.upload(onProgress);
    },
    async [Symbol.asyncDispose]() {
      for (const source of sources) await source[Symbol.asyncDispose]();
    },
  };
}

async function* namingSource(rows: AsyncIterable<SourceRow>, source: string): AsyncGenerator<SourceRow> {
  for await (const row of rows) yield 'image' in row ? row : { ...row, source };
}

async function openSource(
  name: string,
  options: SourceOptions,
  target: JobTarget,
  job: string,
): Promise<EnqueueSource> {
  const filter = { include: options.include ?? [], exclude: options.exclude ?? [] };
  const s3Prefix = parseS3Prefix(name);
  if (s3Prefix !== undefined) return readOnly(() => readS3Prefix(target.s3, s3Prefix, filter));
  const found = name === '-' ? undefined : await stat(name);
  if (found?.isDirectory()) {
    return {
      ...readOnly(() => readFolder(name, job, target.resultsBucket, filter)),
      upload: (onProgress) => uploadFolder(target, name, job, filter, onProgress),
    };
  }
  const kept = found?.isFile() ? undefined : await keep(name);
  const columns = { urlColumn: options.urlColumn, idColumn: options.idColumn, meta: options.meta === true };
  const file = { path: kept?.path ?? name, format: options.format ?? formatOf(name), columns };
  return { ...readOnly(() => readSource(file)), [Symbol.asyncDispose]: kept?.remove ?? (async () => {}) };
}

function readOnly(rows: () => AsyncGenerator<SourceRow>): EnqueueSource {
  return { rows, upload: async () => {}, [Symbol.asyncDispose]: async () => {} };
}

/** What can be read once only, standard input or another pipe, is kept in a file meanwhile. */
async function keep(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const input = name === '-' ? process.stdin : createReadStream(name);
  const folder = await mkdtemp(join(tmpdir(), 'labelqueue-'));
  const path = join(folder, 'input');
  const remove = () => rm(folder, { recursive: true });
  await pipeline(input, createWriteStream(path, { mode: 0o600 }), { signal: interruption }).catch(
    async (error: unknown) => {
      await remove();
      throw error;
    },
  );
  return { path, remove };
}
