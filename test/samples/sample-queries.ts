import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A statement of `samples/queries.sql`; `both` dialects unless it says one. */
export type Query = { name: string; dialect: string; sql: string };

export const QUERIES = queriesIn(await readFile(join(import.meta.dirname, '../../samples/queries.sql'), 'utf8'));

function queriesIn(text: string): Query[] {
  return text
    .split(/^-- name: /m)
    .slice(1)
    .map((part) => {
      const {
        name = '',
        dialect = 'both',
        sql = '',
      } = /^(?<name>[a-z0-9-]+)\n(?:-- dialect: (?<dialect>\w+)\n)?(?<sql>.*)$/s.exec(part)?.groups ?? {};
      return { name, dialect, sql: sql.trim() };
    });
}
