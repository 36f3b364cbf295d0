import type { DatabaseSync } from 'node:sqlite';

const MIB = 1024 * 1024;
/** Less free space is not worth compacting. */
const MIN_FREE_BYTES = 16 * MIB;

/**
 * Returns deleted space to the disk, which SQLite otherwise keeps for reuse. The rest of the file is rewritten, which
 * blocks the process for about a second per 100 MB, so it must be small.
 *
 * @param maxBytes maximum size of the rest
 * @throws when the disk is full
 */
export function compactDatabase(database: DatabaseSync, maxBytes: number): void {
  const pageBytes = pragma(database, 'page_size');
  const free = pragma(database, 'freelist_count') * pageBytes;
  const left = pragma(database, 'page_count') * pageBytes - free;
  if (free < Math.max(MIN_FREE_BYTES, left) || left > maxBytes) return;
  database.exec('VACUUM');
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
