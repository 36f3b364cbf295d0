import { UserError } from '../../contract/user-error.ts';

/** Which columns of a table name an image. */
export type ColumnChoice = {
  /** Undefined to look for one of the usual names. */
  urlColumn: string | undefined;
  /** Undefined for the URL itself as the id. */
  idColumn: string | undefined;
  /** Whether the other columns become `meta`. */
  meta: boolean;
};

/** A table that has no such column. The message names those that it has. */
export class ColumnError extends UserError {
  override readonly name = 'ColumnError';
}

const USUAL_URL_COLUMNS = ['url', 'image_url', 'imageurl', 'imagelink', 'image', 'uri'];

/**
 * Finds the columns by their names.
 *
 * @returns what makes `{url, id?, meta?}` of a row
 * @throws {ColumnError}
 */
export function imageOfRow(
  columns: readonly string[],
  choice: ColumnChoice,
): (row: Record<string, unknown>) => unknown {
  const url = choice.urlColumn ?? columns.find((column) => USUAL_URL_COLUMNS.includes(column.toLowerCase()));
  if (url === undefined || !columns.includes(url))
    throw missing(url ?? USUAL_URL_COLUMNS.join(', '), '--url-column', columns);
  const { idColumn } = choice;
  if (idColumn !== undefined && !columns.includes(idColumn)) throw missing(idColumn, '--id-column', columns);
  const others = columns.filter((column) => column !== url && column !== idColumn);
  return (row) => ({
    url: row[url],
    ...(idColumn !== undefined && { id: text(row[idColumn]) }),
    ...(choice.meta && { meta: Object.fromEntries(others.map((column) => [column, row[column]])) }),
  });
}

function text(id: unknown): unknown {
  return typeof id === 'number' || typeof id === 'bigint' ? String(id) : id;
}

function missing(expected: string, option: string, columns: readonly string[]): ColumnError {
  return new ColumnError(`expected a column named ${expected} (see ${option}), got ${columns.join(', ')}`);
}
