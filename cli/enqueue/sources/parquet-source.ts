import { type DuckDBConnection, DuckDBInstance, type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { namingColumn, type SourceRow, toSourceRow } from '../../../shared/jobs/source-row.ts';
import { type ColumnChoice, ColumnError, rowReader } from './columns.ts';
import { SourceProblem, type SourceReading } from './source-reading.ts';

const SAMPLE_ROWS = 100;
/** DuckDB's memory limit. */
const MEMORY_MB = 256;

/**
 * The rows of a Parquet file; line numbers are those of the rows, from 1.
 *
 * @throws {SourceProblem} when its values are too large for the memory
 */
export async function* readParquet(
  path: string,
  columns: ColumnChoice,
  base: URL | undefined,
  reading: SourceReading,
): AsyncGenerator<SourceRow> {
  const database = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: `${MEMORY_MB}MB` });
  const connection = await database.connect();
  try {
    yield* rowsOf(connection, path, { columns, base, reading });
  } catch (cause) {
    throw isOutOfMemory(cause) ? new SourceProblem(TOO_LARGE, { cause }) : cause;
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

const TOO_LARGE =
  `expected a Parquet file that can be read with ${MEMORY_MB} MB of memory, got larger values or row groups; ` +
  'rewrite it with smaller row groups, or with only the columns that are needed';

/** DuckDB's own limit, not that of the process. */
function isOutOfMemory(error: unknown): boolean {
  return Error.isError(error) && error.message.startsWith('Out of Memory Error: ');
}

type Options = { columns: ColumnChoice; base: URL | undefined; reading: SourceReading };

async function* rowsOf(
  connection: DuckDBConnection,
  path: string,
  { columns, base, reading }: Options,
): AsyncGenerator<SourceRow> {
  const all = await connection.run('SELECT * FROM read_parquet($path) LIMIT 0', { path });
  const names = all.columnNames();
  const types = all.columnTypes();
  const selection = names.map((name, index) => textOf(quoted(name), types[index])).join(', ');
  const sample = await connection.runAndReadAll(`SELECT ${selection} FROM read_parquet($path) LIMIT ${SAMPLE_ROWS}`, {
    path,
  });
  const { taken, imageOf } = rowReader(names, columns, sample.getRowsJson());
  for (const column of [taken.url, taken.id]) assertNotNested(column, names, types);
  reading.columns = taken;
  reading.header = JSON.stringify(names);
  const result = await connection.stream(`SELECT ${selection} FROM read_parquet($path)`, { path });
  const toNumber = names.map((_, index) => isExactNumber(types[index]));
  let line = 0;
  for await (const rows of result.yieldRowsJson()) {
    for (const values of rows) {
      line++;
      const row = values.map((value, index) => (toNumber[index] && isNumber(value) ? JSON.rawJSON(value) : value));
      const text = JSON.stringify(Object.fromEntries(names.map((name, index) => [name, row[index]])));
      reading.row = text;
      yield namingColumn(toSourceRow(line, text, imageOf(row), base), taken.url);
    }
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Older writers store text as plain binary without the text annotation. Bytes that are not text become base64. */
function textOf(column: string, type: DuckDBType | undefined): string {
  return type?.typeId === DuckDBTypeId.BLOB
    ? `coalesce(try(decode(${column})), base64(${column})) AS ${column}`
    : column;
}

const NESTED = new Set([
  DuckDBTypeId.LIST,
  DuckDBTypeId.STRUCT,
  DuckDBTypeId.MAP,
  DuckDBTypeId.ARRAY,
  DuckDBTypeId.UNION,
]);

function assertNotNested(column: string | undefined, names: readonly string[], types: readonly DuckDBType[]): void {
  const type = column === undefined ? undefined : types[names.indexOf(column)];
  if (type === undefined || !NESTED.has(type.typeId)) return;
  throw new ColumnError(
    `expected text in the column ${column}, got ${String(type).slice(0, 120)}: write a file with one row per image, ` +
      'e.g. with unnest() of DuckDB or explode() of pandas, or choose another column with --url-column',
  );
}

/** DuckDB returns these as text, since JavaScript has no exact number type for them. */
const EXACT_NUMBERS = new Set([
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.DECIMAL,
]);

function isExactNumber(type: DuckDBType | undefined): boolean {
  return type !== undefined && EXACT_NUMBERS.has(type.typeId);
}

function isNumber(value: unknown): value is string {
  return typeof value === 'string' && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value);
}
