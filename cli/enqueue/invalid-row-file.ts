import { closeSync, openSync, writeSync } from 'node:fs';
import type { InvalidRow } from '../../shared/jobs/source-row.ts';
import { ofFile } from '../../shared/runtime/file-failure.ts';
import { PROBLEM_COLUMN } from './sources/columns.ts';
import type { SourceReading } from './sources/source-reading.ts';

const CHARACTERS_AT_ONCE = 64 * 1024;

/** Writes a row with the reason why it is not an image. */
type Form = { header: string | undefined; row(row: string, problem: string, line: number): string };

/**
 * The invalid rows of a source in the source's format, so that they can be fixed and enqueued: lines, each below a
 * comment with the reason, or a table with its header and the reason as the last column. `enqueue` ignores both.
 */
export class InvalidRowFile {
  readonly path: string;
  readonly #form: Form;
  readonly #descriptor: number;
  #text: string;

  constructor(path: string, reading: SourceReading) {
    this.path = path;
    this.#form = formOf(reading);
    this.#descriptor = openSync(path, 'w');
    // The file is in UTF-8. The byte order mark overrides the `--encoding` of the original.
    const mark = reading.encoding === undefined || reading.encoding === 'utf-8' ? '' : '\uFEFF';
    this.#text = mark + (this.#form.header === undefined ? '' : `${this.#form.header}\n`);
  }

  /** The file extension, e.g. `csv`. */
  static ending({ header, delimiter, quotes }: SourceReading): string {
    if (header === undefined) return 'txt';
    return delimiter === undefined || quotes ? 'csv' : 'tsv';
  }

  /** Writes synchronously, so that millions of rows take no memory. */
  add(row: string, { problem, line }: InvalidRow): void {
    this.#text += `${this.#form.row(row, problem.replaceAll(/\s+/g, ' '), line)}\n`;
    if (this.#text.length >= CHARACTERS_AT_ONCE) this.#write();
  }

  /** @returns the path */
  close(): string {
    this.#write();
    closeSync(this.#descriptor);
    return this.path;
  }

  #write(): void {
    const bytes = Buffer.from(this.#text);
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
    } catch (error) {
      ofFile(this.path)(error);
    }
    this.#text = '';
  }
}

function formOf({ header, delimiter, quotes }: SourceReading): Form {
  if (header === undefined) return lines;
  if (delimiter === undefined) return parquetAsCsv(JSON.parse(header));
  const field = (text: string) => (quotes ? quoted(text) : text);
  if (header.split(delimiter).at(-1)?.trim() === PROBLEM_COLUMN) {
    const end = RegExp.escape(delimiter);
    const before = new RegExp(quotes ? `${end}"(?:[^"]|"")*"$` : `${end}(?:(?!${end}).)*$`);
    return { header, row: (row, problem) => `${row.replace(before, '')}${delimiter}${field(problem)}` };
  }
  return {
    header: `${header}${delimiter}${PROBLEM_COLUMN}`,
    row: (row, problem) => `${row}${delimiter}${field(problem)}`,
  };
}

const lines: Form = { header: undefined, row: (row, problem, line) => `# line ${line}: ${problem}\n${row}` };

/** @param names of the columns */
function parquetAsCsv(names: readonly string[]): Form {
  return {
    header: [...names, PROBLEM_COLUMN].map(quoted).join(','),
    row(row, problem) {
      const values: unknown[] = Object.values(JSON.parse(row, keepNumbers) as object);
      return [...values, problem].map((value) => quoted(textOf(value))).join(',');
    },
  };
}

function keepNumbers(this: unknown, _key: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === 'number' ? source : value;
}

function textOf(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
