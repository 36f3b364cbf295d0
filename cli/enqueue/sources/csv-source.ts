import { namingColumn, type SourceRow, toSourceRow } from '../../../shared/jobs/source-row.ts';
import { type ColumnChoice, type RowReader, rowReader } from './columns.ts';
import { likelyDelimiter, namedDelimiter } from './delimiter.ts';
import { SourceProblem, type SourceReading } from './source-reading.ts';
import { type TableRow, tableRows } from './table-rows.ts';
import type { Line } from './text-lines.ts';

export type TableOptions = {
  kind: 'csv' | 'tsv';
  /** Undefined to detect it in the header line. */
  delimiter: string | undefined;
  columns: ColumnChoice;
  base: URL | undefined;
};

/** Rows that decide between several possible URL columns. */
const SAMPLE_ROWS = 100;

/** A table with a header line. Fields of CSV may be quoted and hold line breaks, those of TSV not. */
export async function* readTable(
  batches: AsyncIterable<readonly Line[]>,
  options: TableOptions,
  reading: SourceReading,
): AsyncGenerator<SourceRow> {
  let reader: RowReader | undefined;
  const waiting: TableRow[] = [];
  for await (const rows of rowsOf(batches, options, reading)) {
    if (reader === undefined) {
      // Not `push(...rows)`: after an unclosed quote there may be more rows than a call can have arguments.
      for (const row of rows) waiting.push(row);
      if (waiting.length <= SAMPLE_ROWS) continue;
      reader = startReading(waiting, options, reading);
    }
    yield* imagesOf(waiting.length > 0 ? waiting.splice(0) : rows, reader, options.base, reading);
  }
  if (reader === undefined && waiting.length > 0) {
    reader = startReading(waiting, options, reading);
    yield* imagesOf(waiting, reader, options.base, reading);
  }
}

/** The rows below Excel's `sep=` line, the header first. */
async function* rowsOf(
  batches: AsyncIterable<readonly Line[]>,
  { kind, delimiter, columns }: TableOptions,
  reading: SourceReading,
): AsyncGenerator<TableRow[]> {
  const iterator = batches[Symbol.asyncIterator]();
  const { lines, separator } = await firstLines(iterator);
  const [header] = lines;
  if (header === undefined) return;
  reading.header = header.text;
  reading.delimiter =
    delimiter ?? separator ?? (kind === 'tsv' ? '\t' : likelyDelimiter(header.text, columns.urlColumn));
  reading.quotes = kind === 'csv';
  yield* tableRows(resumed(lines, iterator), { delimiter: reading.delimiter, quotes: reading.quotes });
}

/** The lines from the header on, as far as they came with it. */
async function firstLines(
  iterator: AsyncIterator<readonly Line[]>,
): Promise<{ lines: readonly Line[]; separator: string | undefined }> {
  let separator: string | undefined;
  for (;;) {
    const { done, value } = await iterator.next();
    if (done) return { lines: [], separator };
    let lines: readonly Line[] = value;
    for (;;) {
      const at = lines.findIndex(({ text }) => text.trim() !== '');
      if (at === -1) break;
      lines = lines.slice(at);
      const named = separator === undefined ? namedDelimiter(lines[0]?.text ?? '') : undefined;
      if (named === undefined) return { lines, separator };
      separator = named;
      lines = lines.slice(1);
    }
  }
}

async function* resumed<Item>(first: Item, rest: AsyncIterator<Item>): AsyncGenerator<Item> {
  yield first;
  for (;;) {
    const { done, value } = await rest.next();
    if (done) return;
    yield value;
  }
}

/** Takes the header away from the rows. */
function startReading(rows: TableRow[], { columns }: TableOptions, reading: SourceReading): RowReader {
  const header = rows.shift();
  if (header === undefined || 'problem' in header) {
    throw new SourceProblem(
      `line ${header?.line ?? 1}: expected a header line that names the columns, ${header?.problem}`,
    );
  }
  const sample = rows.slice(0, SAMPLE_ROWS).flatMap((row) => ('fields' in row ? [row.fields] : []));
  const reader = rowReader(
    header.fields.map((name) => name.trim()),
    columns,
    sample,
  );
  reading.columns = reader.taken;
  return reader;
}

function* imagesOf(
  rows: readonly TableRow[],
  { imageOf, taken }: RowReader,
  base: URL | undefined,
  reading: SourceReading,
): Generator<SourceRow> {
  for (const row of rows) {
    reading.row = row.raw;
    if ('problem' in row) yield { line: row.line, text: row.raw, problem: row.problem };
    else yield namingColumn(toSourceRow(row.line, row.raw, imageOf(row.fields), base), taken.url);
  }
}
