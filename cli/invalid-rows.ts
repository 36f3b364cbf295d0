import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { ofFile } from '../shared/contract/file-failure.ts';
import { visibleLine } from '../shared/contract/visible-text.ts';
import type { InvalidRow } from '../shared/jobs/sources/source-row.ts';
import { printNote } from './terminal.ts';

/** So many are shown; a file with another format has as many as it has lines. */
const SHOWN = 10;

/** Rows that name no image: the first ones are told on standard error, all of them kept in a file. */
export class InvalidRows {
  readonly #path: string;
  readonly #keep: boolean;
  #file: WriteStream | undefined;
  #written: Promise<void> | undefined;
  #count = 0;

  constructor(path: string, keep: boolean) {
    this.#path = path;
    this.#keep = keep;
  }

  add({ line, text, problem, source }: InvalidRow): void {
    this.#count++;
    if (this.#count <= SHOWN)
      printNote(`${visibleLine(`${source === undefined ? '' : `${source}, `}line ${line}: ${problem}`)}\n`);
    if (this.#count === SHOWN + 1) printNote('…\n');
    if (!this.#keep) return;
    this.#file ??= this.#open();
    this.#file.write(`${text}\n`);
  }

  #open(): WriteStream {
    const file = createWriteStream(this.#path);
    this.#written = finished(file).catch(ofFile(this.#path));
    // Awaited at the end.
    this.#written.catch(() => undefined);
    return file;
  }

  async close(): Promise<void> {
    if (this.#file === undefined) return;
    this.#file.end();
    await this.#written;
  }
}
