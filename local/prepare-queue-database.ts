import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { compactDatabase } from './compact-database.ts';
import { isNoRoom } from './disk-room.ts';
import { setAside } from './load-object-files.ts';

const MIB = 1024 * 1024;
/**
 * Files up to this size are checked page by page, in less than a second; damage of a larger file is detected when it is
 * read.
 */
const MAX_CHECKED_BYTES = 256 * MIB;
/** Compaction may take about two seconds at a start. */
const MAX_COMPACTED_BYTES = 256 * MIB;

/**
 * Prepares the queue database before fauxqs opens it: an unreadable file is set aside, in-flight messages become
 * visible (their consumers ended with the service), and deleted space is returned to the disk.
 */
export function prepareQueueDatabase(path: string, onDamage: (text: string) => void): void {
  if (!existsSync(path)) return;
  try {
    prepare(path);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    const [aside] = ['', '-wal', '-shm'].map((ending) => setAside(path + ending));
    onDamage(`${path} is damaged (${(error as Error).message}): queues start empty, the file was renamed to ${aside}`);
  }
}

function prepare(path: string): void {
  using database = new DatabaseSync(path);
  if (statSync(path).size <= MAX_CHECKED_BYTES) check(database);
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqs_messages'").get();
  if (table === undefined) return;
  try {
    database.exec(STATES_INDEX);
    database.exec(RELEASE);
    compactDatabase(database, MAX_COMPACTED_BYTES);
  } catch (error) {
    // Then the start is slower, and messages of FIFO queues are redelivered after their visibility timeout.
    if (!isNoRoom(error)) throw error;
  }
}

function check(database: DatabaseSync): void {
  const [row] = database.prepare('PRAGMA quick_check(1)').all();
  if (row?.['quick_check'] !== 'ok') throw new DamagedDatabaseError(String(row?.['quick_check']));
}

/** Covers everything that a start reads, so that it does not read message contents. */
export const STATES_INDEX = `CREATE INDEX IF NOT EXISTS labelqueue_states ON sqs_messages
  (queue_name, sent_timestamp, message_id, approximate_receive_count, approximate_first_receive_timestamp, delay_until)`;

/** Standard queues load no in-flight state. */
const RELEASE = `UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL
  WHERE queue_name IN (SELECT name FROM sqs_queues WHERE name LIKE '%.fifo') AND receipt_handle IS NOT NULL`;

class DamagedDatabaseError extends Error {
  override readonly name = 'DamagedDatabaseError';
}

/** SQLite's result codes for a malformed database, and for a file that is not one. */
const DAMAGED_RESULTS = new Set([11, 26]);

/** Whether a database cannot be read because its file is damaged. */
export function isDamaged(error: unknown): boolean {
  if (error instanceof DamagedDatabaseError) return true;
  const { code, errcode = 0 } = error as NodeJS.ErrnoException & { errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && DAMAGED_RESULTS.has(errcode & 0xff);
}
