import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseS3Prefix } from '../../shared/contract/urls.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';
import { interruption } from '../terminal/interruption.ts';
import { createWorkFolder } from '../terminal/work-folder.ts';
import { readFolder, uploadFolder } from './sources/folder-source.ts';
import { formatOf, readSource, type SourceFile, type SourceFormat } from './sources/read-source.ts';
import { readS3Prefix } from './sources/s3-prefix-source.ts';
import { SourceReading } from './sources/source-reading.ts';

export type SourceOptions = {
  format?: SourceFormat;
  encoding?: string;
  delimiter?: string;
  urlColumn?: string;
  idColumn?: string;
  meta?: true;
  include?: string[];
  exclude?: string[];
};

/** A source of `enqueue`. It can be read several times, with the same rows each time. */
export type EnqueueSource = AsyncDisposable & {
  name: string;
  format: SourceFormat | 'folder' | 'prefix';
  /** What the last reading has found. */
  reading: SourceReading;
  rows(): AsyncGenerator<SourceRow>;
  /** Uploads local images to the URLs in the rows; returns their number. */
  upload(): Promise<number>;
};

/** All sources, one after the other. */
export class EnqueueSources implements AsyncDisposable {
  readonly all: readonly EnqueueSource[];
  /** The source of the last row. */
  current: EnqueueSource | undefined;

  constructor(all: readonly EnqueueSource[]) {
    this.all = all;
  }

  async *rows(): AsyncGenerator<SourceRow> {
    for (const source of this.all) {
      this.current = source;
      yield* source.rows();
    }
  }

  async upload(): Promise<number> {
    let files = 0;
    for (const source of this.all) files += await source.upload();
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const source of this.all) await source[Symbol.asyncDispose]();
  }
}

/** Checked before the settings: a mistyped name is the more likely mistake. Throws the error of `stat`. */
export async function checkSourcesExist(names: readonly string[]): Promise<void> {
  for (const name of names) if (name !== '-' && parseS3Prefix(name) === undefined) await stat(name);
}

export async function openSources(
  names: readonly string[],
  options: SourceOptions,
  target: JobTarget,
  job: string,
): Promise<EnqueueSources> {
  const sources: EnqueueSource[] = [];
  for (const name of names) sources.push(await openSource(name, options, target, job));
  return new EnqueueSources(sources);
}

async function openSource(
  name: string,
  options: SourceOptions,
  target: JobTarget,
  job: string,
): Promise<EnqueueSource> {
  const reading = new SourceReading();
  const filter = { include: options.include ?? [], exclude: options.exclude ?? [] };
  const s3Prefix = parseS3Prefix(name);
  if (s3Prefix !== undefined) {
    const rows = () => readS3Prefix(target.s3, s3Prefix, filter, reading);
    return { name, format: 'prefix', reading, ...readOnly(rows) };
  }
  const found = name === '-' ? undefined : await stat(name);
  if (found?.isDirectory()) {
    const folder = { path: name, job, filter };
    const rows = () => readFolder(folder, target.resultsBucket, reading);
    return { name, format: 'folder', reading, ...readOnly(rows), upload: () => uploadFolder(target, folder) };
  }
  const spooled = found?.isFile() ? undefined : await spoolToFile(name);
  const file = { ...fileOptions(name, options), path: spooled?.path ?? name };
  const remove = spooled?.remove ?? (async () => {});
  const rows = () => readSource(file, reading);
  return { name, format: file.format, reading, ...readOnly(rows), [Symbol.asyncDispose]: remove };
}

function fileOptions(name: string, options: SourceOptions): Omit<SourceFile, 'path'> {
  const { format, encoding, delimiter, urlColumn, idColumn, meta } = options;
  const byName = formatOf(name);
  return {
    // A source with a delimiter is a table.
    format: format ?? (delimiter !== undefined && byName === 'lines' ? 'csv' : byName),
    columns: { urlColumn, idColumn, meta: meta === true },
    ...(encoding !== undefined && { encoding }),
    ...(delimiter !== undefined && { delimiter }),
  };
}

function readOnly(
  rows: () => AsyncGenerator<SourceRow>,
): Pick<EnqueueSource, 'rows' | 'upload' | typeof Symbol.asyncDispose> {
  return { rows, upload: async () => 0, [Symbol.asyncDispose]: async () => {} };
}

/** Standard input and other pipes can be read only once, so they are copied to a temporary file. */
async function spoolToFile(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const input = name === '-' ? process.stdin : createReadStream(name);
  const folder = await createWorkFolder();
  const path = join(folder.path, 'input');
  const remove = async () => folder[Symbol.dispose]();
  await pipeline(input, createWriteStream(path, { mode: 0o600 }), { signal: interruption }).catch(
    async (error: unknown) => {
      await remove();
      throw error;
    },
  );
  return { path, remove };
}
