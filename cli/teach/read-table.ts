import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { redactUrls } from '../../shared/contract/redact.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { couldHoldUrl } from '../enqueue/sources/columns.ts';
import { likelyDelimiter, namedDelimiter } from '../enqueue/sources/delimiter.ts';
import { encodingOf } from '../enqueue/sources/encoding.ts';
import { SourceProblem } from '../enqueue/sources/source-reading.ts';
import { type TableRow, tableRows } from '../enqueue/sources/table-rows.ts';
import { type Line, textLines } from '../enqueue/sources/text-lines.ts';
import { CommandError } from '../terminal/user-errors.ts';
import type { LabeledPhoto, TrainingSet } from './labeled-photo.ts';

/** 20,000 rows of a path and a label have a few megabytes. */
const MAX_TABLE_BYTES = 50_000_000;
const PATH_COLUMNS = ['path', 'file', 'filename', 'file_name', 'photo', 'picture'];
const LABEL_COLUMNS = ['label', 'class', 'category'];

/**
 * A table of photos and labels: paths, which are relative to the table's folder, or URLs. A header line names the columns; without
 * one the first column is the photo and the second the label.
 *
 * @throws {CommandError} naming the line
 */
export async function readLabelTable(path: string): Promise<TrainingSet> {
  const rows = await rowsOf(path).catch((cause: unknown) => {
    if (!(cause instanceof SourceProblem)) throw cause;
    throw new CommandError(`${visibleLine(path)}: ${cause.message}`, { cause });
  });
  const [first] = rows;
  if (first === undefined)
    throw new CommandError(`${visibleLine(path)}: expected rows of a photo and a label, got none`);
  const columns = columnsOf(fieldsOf(first, path), path);
  const photos = rows.slice(columns.isHeader ? 1 : 0).map((row) => photoOf(row, columns, path));
  return { photos, labels: [...new Set(photos.map(({ label }) => label))].sort(), leftOut: new Map() };
}

async function rowsOf(path: string): Promise<TableRow[]> {
  const { size } = await stat(path);
  if (size > MAX_TABLE_BYTES) throw new SourceProblem(`expected at most ${MAX_TABLE_BYTES} bytes, got ${size}`);
  const bytes = await readFile(path);
  const encoding = encodingOf(bytes.subarray(0, 64 * 1_024), undefined);
  const lines = (await Array.fromAsync(textLines(chunks(bytes.subarray(encoding.bomBytes)), encoding))).flat();
  const named = namedDelimiter(lines[0]?.text ?? '');
  const table = named === undefined ? lines : lines.slice(1);
  const delimiter = named ?? likelyDelimiter(table.find(({ text }) => text.trim() !== '')?.text ?? '', undefined);
  return (await Array.fromAsync(tableRows(batches(table), { delimiter, quotes: true }))).flat();
}

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function* batches(lines: Line[]): AsyncGenerator<Line[]> {
  yield lines;
}

type Columns = { photo: number; label: number; isHeader: boolean };

function columnsOf(first: readonly string[], path: string): Columns {
  const names = first.map((name) => name.trim().toLowerCase());
  const photo = names.findIndex((name) => PATH_COLUMNS.includes(name) || couldHoldUrl(name));
  const label = names.findIndex((name) => LABEL_COLUMNS.includes(name));
  if (photo !== -1 && label !== -1) return { photo, label, isHeader: true };
  if (first.length === 2) return { photo: 0, label: 1, isHeader: false };
  throw new CommandError(
    `${visibleLine(path)}: expected two columns, the photo and the label, or a header line with a column named ` +
      `${PATH_COLUMNS.join(', ')} or url and one named ${LABEL_COLUMNS.join(', ')}, got ${first.length} columns: ` +
      visibleLine(redactUrls(first.join(', ').slice(0, 200))),
  );
}

function photoOf(row: TableRow, { photo, label }: Columns, path: string): LabeledPhoto {
  const fields = fieldsOf(row, path);
  const name = fields[photo]?.trim() ?? '';
  const given = fields[label]?.trim() ?? '';
  if (name === '' || given === '') {
    throw wrongRow(row, path, `expected a photo and a label, got ${name === '' ? 'no photo' : 'no label'}`);
  }
  return { label: given, name, source: isUrl(name) ? name : resolve(dirname(path), name) };
}

function fieldsOf(row: TableRow, path: string): string[] {
  if ('fields' in row) return row.fields;
  throw wrongRow(row, path, row.problem);
}

function wrongRow({ line }: TableRow, path: string, problem: string): CommandError {
  return new CommandError(`${visibleLine(path)}, line ${line}: ${visibleLine(problem)}`);
}

/** A single letter is a Windows drive, not a scheme. */
export function isUrl(source: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(source);
}
