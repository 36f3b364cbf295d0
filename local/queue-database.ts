import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type DiskRoom, isNoRoom } from './disk-room.ts';
import { PersistenceManager, SqsError, type StoredMessage } from './fauxqs-parts.ts';
import { setAside } from './load-object-files.ts';

const FILE = 'fauxqs.db';

export type QueueDatabaseOptions = {
  dataDir: string;
  room: DiskRoom;
  /** Is given a line when the database is damaged and a new one takes its place. */
  onDamage: (text: string) => void;
};

/**
 * The SQLite database in which fauxqs keeps queues and messages, on a disk that may be full: a new message is refused
 * then (`ServiceUnavailable`, which clients retry), and what happens to messages that are kept already (received,
 * deleted, moved to the DLQ) holds at once in memory and is written down when there is room.
 */
export class QueueDatabase extends PersistenceManager {
  readonly #room: DiskRoom;
  #unwritten: (() => void)[] = [];

  constructor({ dataDir, room, onDamage }: QueueDatabaseOptions) {
    prepare(join(dataDir, FILE), onDamage);
    super(dataDir);
    this.#room = room;
  }

  override insertMessage(queueName: string, message: StoredMessage): void {
    const write = () => super.insertMessage(queueName, message);
    // One that was received before is on its way to the DLQ: it has been accepted, and must not be lost.
    if (message.approximateReceiveCount > 0) this.#writeLater(write);
    else this.#writeNow(write);
  }

  #writeNow(write: () => void): void {
    try {
      this.#writeUnwritten();
      write();
    } catch (error) {
      if (!isNoRoom(error)) throw error;
      this.#room.ranOut();
      throw noRoomForMessages();
    }
  }

  override deleteMessage(messageId: string): void {
    this.#writeLater(() => super.deleteMessage(messageId));
  }

  override updateMessageInflight(...received: Parameters<PersistenceManager['updateMessageInflight']>): void {
    this.#writeLater(() => super.updateMessageInflight(...received));
  }

  /** Nothing to write: each start makes visible what was in flight. fauxqs would set the receive count to NULL, which its own table refuses. */
  override updateMessageReady(): void {}

  override deleteQueueMessages(queueName: string): void {
    this.#writeLater(() => super.deleteQueueMessages(queueName));
  }

  override close(): void {
    this.#writeLater(() => {});
    super.close();
  }

  #writeLater(write: () => void): void {
    this.#unwritten.push(write);
    try {
      this.#writeUnwritten();
    } catch (error) {
      if (!isNoRoom(error)) throw error;
      this.#room.ranOut();
    }
  }

  /** In the order in which it happened. */
  #writeUnwritten(): void {
    while (this.#unwritten.length > 0) {
      this.#unwritten[0]?.();
      this.#unwritten.shift();
    }
  }
}

/**
 * Looks at the database before fauxqs opens it: one that cannot be read makes room for a new one, and what was in flight
 * is visible, since the process that had it has ended with the service.
 */
function prepare(path: string, onDamage: (text: string) => void): void {
  if (!existsSync(path)) return;
  try {
    release(path);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    const [aside] = ['', '-wal', '-shm'].map((ending) => setAside(path + ending));
    onDamage(`${path} is damaged (${(error as Error).message}): queues start empty, the file is now ${aside}`);
  }
}

function release(path: string): void {
  using database = new DatabaseSync(path);
  const [row] = database.prepare('PRAGMA quick_check(1)').all();
  if (row?.['quick_check'] !== 'ok') throw new DamagedDatabaseError(String(row?.['quick_check']));
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqs_messages'").get();
  if (table === undefined) return;
  try {
    database.exec(
      'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE receipt_handle IS NOT NULL',
    );
  } catch (error) {
    // The messages come back after their visibility timeout instead.
    if (!isNoRoom(error)) throw error;
  }
}

class DamagedDatabaseError extends Error {
  override readonly name = 'DamagedDatabaseError';
}

/** SQLite's result codes for a malformed database, and for a file that is not one. */
const DAMAGED_RESULTS = new Set([11, 26]);

function isDamaged(error: unknown): boolean {
  if (error instanceof DamagedDatabaseError) return true;
  const { code, errcode = 0 } = error as NodeJS.ErrnoException & { errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && DAMAGED_RESULTS.has(errcode & 0xff);
}

/** What SQS answers when it can take no message now. */
export function noRoomForMessages(): SqsError {
  return new SqsError(
    'ServiceUnavailable',
    'the disk of the state folder is full: retry when there is room',
    503,
    false,
  );
}
