import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type ColumnChoice, imageOfRow } from './columns.ts';
import { type SourceRow, toSourceRow } from './source-row.ts';

/** The rows of a Parquet file; line numbers are those of the rows, from 1. */
export async function* readParquet(
  path: string,
  choice: ColumnChoice,
  base: URL | undefined,
): AsyncGenerator<SourceRow> {
  const database = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '256MB' });
  const connection = await database.connect();
  try {
    yield* rowsOf(connection, path, choice, base);
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

async function* rowsOf(
  connection: DuckDBConnection,
  path: string,
  choice: ColumnChoice,
  base: URL | undefined,
): AsyncGenerator<SourceRow> {
  const result = await connection.stream('SELECT * FROM read_parquet($path)', { path });
  const toImage = imageOfRow(result.columnNames(), choice);
  let line = 0;
  for await (const rows of result.yieldRowObjectJson()) {
    for (const row of rows) {
      line++;
      yield toSourceRow(line, JSON.stringify(row), toImage(row), base);
    }
  }
}
