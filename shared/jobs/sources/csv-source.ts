import type { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { type ColumnChoice, imageOfRow } from './columns.ts';
import { type InvalidRow, type SourceRow, toSourceRow } from './source-row.ts';

/** A table with a header line. Fields may be quoted and hold line breaks; a byte order mark is skipped. */
export async function* readCsv(
  text: Readable,
  delimiter: ',' | '\t',
  choice: ColumnChoice,
  base: URL | undefined,
): AsyncGenerator<SourceRow> {
  const invalid: InvalidRow[] = [];
  let columns: string[] = [];
  const parser = text.pipe(
    parse({
      delimiter,
      bom: true,
      info: true,
      raw: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      columns: (header: string[]) => {
        columns = header.map((name) => name.trim());
        return columns;
      },
      on_skip: (error: CsvError | undefined, raw: string | undefined) => {
        invalid.push({
          line: Number(error?.['lines'] ?? 0),
          text: raw?.trimEnd() ?? '',
          problem: error?.message ?? '',
        });
      },
    }),
  );
  text.once('error', (error) => parser.destroy(error));
  let toImage: ((row: Record<string, unknown>) => unknown) | undefined;
  for await (const { record, info, raw } of parser as AsyncIterable<CsvRecord>) {
    yield* invalid.splice(0);
    toImage ??= imageOfRow(columns, choice);
    yield toSourceRow(info.lines, raw.trimEnd(), toImage(record), base);
  }
  yield* invalid;
}

type CsvRecord = { record: Record<string, string>; info: { lines: number }; raw: string };
