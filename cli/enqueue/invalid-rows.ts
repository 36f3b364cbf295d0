import { resolve } from 'node:path';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { InvalidRow } from '../../shared/jobs/source-row.ts';
import { printNote } from '../terminal/terminal.ts';
import type { EnqueueSource } from './enqueue-sources.ts';
import { InvalidRowFile } from './invalid-row-file.ts';

/** Number of invalid rows to print; a file of the wrong format has one per line. */
const SHOWN = 10;

export type InvalidRowsOptions = {
  job: string;
  sources: readonly EnqueueSource[];
  /** Whether they are written to files. */
  keep: boolean;
};

/**
 * Invalid rows: the first ones are printed on standard error. All of them can be saved to a file per source, to be
 * fixed and enqueued.
 */
export class InvalidRows {
  readonly #options: InvalidRowsOptions;
  readonly #files = new Map<EnqueueSource, InvalidRowFile>();
  #count = 0;

  constructor(options: InvalidRowsOptions) {
    this.#options = options;
  }

  add(row: InvalidRow, source: EnqueueSource): void {
    this.#count++;
    const { sources, keep } = this.#options;
    const where = sources.length > 1 ? `${source.name}, ` : '';
    if (this.#count <= SHOWN) printNote(`${visibleLine(`${where}line ${row.line}: ${row.problem}`)}\n`);
    if (this.#count === SHOWN + 1) printNote('…\n');
    if (keep) this.#fileOf(source).add(source.reading.row, row);
  }

  /** @returns the paths of the files */
  close(): string[] {
    return [...this.#files.values()].map((file) => file.close());
  }

  #fileOf(source: EnqueueSource): InvalidRowFile {
    const known = this.#files.get(source);
    if (known !== undefined) return known;
    const file = new InvalidRowFile(this.#path(InvalidRowFile.ending(source.reading)), source.reading);
    this.#files.set(source, file);
    return file;
  }

  /** Never the path of a source, which is read again. */
  #path(ending: string): string {
    const { job, sources } = this.#options;
    const taken = new Set([
      ...sources.map(({ name }) => resolve(name)),
      ...[...this.#files.values()].map(({ path }) => resolve(path)),
    ]);
    for (let number = 1; ; number++) {
      const path = `${job}.invalid${number === 1 ? '' : `-${number}`}.${ending}`;
      if (!taken.has(resolve(path))) return path;
    }
  }
}
