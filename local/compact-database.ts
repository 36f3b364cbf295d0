import type { DatabaseSync } from 'node:sqlite';

const MIB = 1024 * 1024;
/** Less is not worth the work. */
const LEAST_FREE_BYTES = 16 * MIB;

/**
 * Gives the disk back what was deleted: SQLite keeps it in the file for what comes. What is left is written anew, which
 * takes the process about a second for each 100 MB, so there must be little of it.
 *
 * @param mostBytes that may be left
 * @throws when the disk is full
 */
export function compactDatabase(database: DatabaseSync, mostBytes: number): void {
  const pageBytes = pragma(database, 'page_size');
  const free = pragma(database, 'freelist_count') * pageBytes;
  const left = pragma(database, 'page_count') * pageBytes - free;
  if (free < Math.max(LEAST_FREE_BYTES, left) || left > mostBytes) return;
  database.exec('VACUUM');
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
