import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientRow } from './row.ts';

const FOLDER = join(import.meta.dirname, 'rows');

/** All rows, in the order of their files' names: a file more is a row more. */
export async function allRows(): Promise<ClientRow[]> {
  const rows: ClientRow[] = [];
  for (const file of readdirSync(FOLDER).sort()) {
    const found: { row?: ClientRow; rows?: ClientRow[] } = await import(join(FOLDER, file));
    rows.push(...(found.rows ?? []), ...(found.row === undefined ? [] : [found.row]));
  }
  return rows;
}
