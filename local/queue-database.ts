import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { compactDatabase } from './compact-database.ts';
import { type DiskRoom, isNoRoom } from './disk-room.ts';
import {
  type PersistenceInside,
  PersistenceManager,
  type SnsStore,
  SqsError,
  type SqsQueue,
  type SqsStore,
  type StoredMessage,
} from './fauxqs-parts.ts';
import { type ContentsSource, LazyMessage, type MessageContents, type MessageState } from './lazy-message.ts';
import { isDamaged, prepareQueueDatabase, STATES_INDEX } from './prepare-queue-database.ts';

const FILE = 'fauxqs.db';
/**
 * Killing the service loses nothing; only a power failure may lose the latest writes. Otherwise each request would wait
 * several milliseconds for the disk.
 */
const COMMIT_WITHOUT_SYNC = 'PRAGMA synchronous = NORMAL';
/** Deletions between two checks of the free space in the file. */
const LOOK_EVERY = 1_000;
/** Maximum size to rewrite while the service runs: it answers nothing meanwhile, for about 0.2 s. */
const MAX_COMPACTED_BYTES = 16 * 1024 * 1024;

export type QueueDatabaseOptions = {
  dataDir: string;
  room: DiskRoom;
  /** Called with a line when the database is damaged. */
  onDamage: (text: string) => void;
};

/**
 * The SQLite database in which fauxqs stores queues and messages. The contents of messages in standard queues are only
 * there, not in memory.
 *
 * Its disk may be full: a new message is refused then (`ServiceUnavailable`, which clients retry), and changes of
 * stored messages (received, deleted, moved to the DLQ) apply in memory at once and are written when there is room.
 */
export class QueueDatabase extends PersistenceManager implements ContentsSource {
  readonly #room: DiskRoom;
  readonly #onDamage: (text: string) => void;
  readonly #inside = this as unknown as PersistenceInside;
  readonly #statements: ReturnType<typeof prepareStatements>;
  #unwritten: (() => void)[] = [];
  #deletions = 0;
  /** Pending writes for the messages that are being delivered. */
  #handedOut: (() => void)[] | undefined;
  /** The last message that was read: fauxqs reads each part of a message separately. */
  #lastRead: { messageId: string; contents: MessageContents } | undefined;

  constructor({ dataDir, room, onDamage }: QueueDatabaseOptions) {
    prepareQueueDatabase(join(dataDir, FILE), onDamage);
    super(dataDir);
    this.#room = room;
    this.#onDamage = onDamage;
    this.#inside.db.exec(COMMIT_WITHOUT_SYNC);
    this.#inside.db.exec(STATES_INDEX);
    this.#statements = prepareStatements(this.#inside.db);
  }

  override loadSqsAndSns(sqsStore: SqsStore, snsStore: SnsStore): void {
    const { loadSqsMessages } = this.#inside;
    this.#inside.loadSqsMessages = (queue) =>
      queue.isFifo() ? loadSqsMessages.call(this, queue) : this.#loadMessages(queue);
    super.loadSqsAndSns(sqsStore, snsStore);
  }

  /** In order of arrival; all are visible or delayed. */
  #loadMessages(queue: SqsQueue): void {
    const now = Date.now();
    for (const row of this.#statements.states.iterate(queue.name)) {
      const message = new LazyMessage(this, queue.name, row as MessageState);
      if (message.delayUntil !== undefined && message.delayUntil > now) queue.delayedMessages.push(message);
      else queue.messages.push(message);
    }
  }

  /**
   * Stores a new message of a standard queue.
   *
   * @throws {SqsError} when there is no room
   */
  keep(queueName: string, message: StoredMessage): LazyMessage {
    this.#writeNow(() => super.insertMessage(queueName, message));
    return new LazyMessage(this, queueName, message);
  }

  contentsOf(messageId: string): MessageContents {
    if (this.#lastRead?.messageId !== messageId) this.#lastRead = { messageId, contents: this.#read(messageId) };
    return this.#lastRead.contents;
  }

  #read(messageId: string): MessageContents {
    try {
      const row = this.#statements.contents.get(messageId) as ContentsRow | undefined;
      if (row !== undefined) return { ...row, messageAttributes: JSON.parse(row.messageAttributes) };
    } catch (error) {
      if (!isDamaged(error)) throw error;
    }
    this.#onDamage(`the message ${messageId} is damaged: its body is lost, and it is delivered with an empty one`);
    return NOTHING;
  }

  /**
   * While messages are delivered, fauxqs only deletes those that it then adds to the DLQ: these are moved. All writes
   * are one transaction, since each transaction takes a millisecond or more.
   */
  handingOut<Result>(handOut: () => Result): Result {
    const writes: (() => void)[] = [];
    this.#handedOut = writes;
    try {
      return handOut();
    } finally {
      this.#handedOut = undefined;
      if (writes.length > 0) this.#writeLater(() => this.#writeTogether(writes));
    }
  }

  /** All of them or, when the disk is full, none: then they are retried. */
  #writeTogether(writes: readonly (() => void)[]): void {
    const { db } = this.#inside;
    db.exec('BEGIN');
    try {
      for (const write of writes) write();
      db.exec('COMMIT');
    } catch (error) {
      // After some errors SQLite has rolled back by itself.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }

  override insertMessage(queueName: string, message: StoredMessage): void {
    const write = () => super.insertMessage(queueName, message);
    if (message instanceof LazyMessage) this.#move(queueName, message);
    // A message that was received before is moving to the DLQ: it was accepted, and must not be lost.
    else if (message.approximateReceiveCount > 0) this.#writeLater(write);
    else this.#writeNow(write);
  }

  #move(queueName: string, message: LazyMessage): void {
    if (message.queue === queueName) return;
    message.queue = queueName;
    const { approximateReceiveCount, messageId } = message;
    this.#writeLater(() => this.#statements.move.run(queueName, approximateReceiveCount, messageId));
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
    if (this.#handedOut !== undefined) return;
    this.#writeLater(() => super.deleteMessage(messageId));
    this.#deletions++;
    if (this.#deletions % LOOK_EVERY === 0) this.#compact();
  }

  #compact(): void {
    this.#writeLater(() => compactDatabase(this.#inside.db, MAX_COMPACTED_BYTES));
  }

  /** Stores the receive count only, not receipt and deadline: each start makes in-flight messages visible. */
  override updateMessageInflight(...received: Parameters<PersistenceManager['updateMessageInflight']>): void {
    const [messageId, , , receiveCount, firstReceiveTimestamp] = received;
    this.#writeLater(() => this.#statements.receive.run(receiveCount, firstReceiveTimestamp ?? null, messageId));
  }

  /** Nothing to write. fauxqs would set the receive count to NULL, which its own table refuses. */
  override updateMessageReady(): void {}

  override deleteQueueMessages(queueName: string): void {
    this.#writeLater(() => super.deleteQueueMessages(queueName));
    this.#compact();
  }

  override close(): void {
    this.#compact();
    super.close();
  }

  #writeLater(write: () => void): void {
    if (this.#handedOut !== undefined) {
      this.#handedOut.push(write);
      return;
    }
    this.#unwritten.push(write);
    try {
      this.#writeUnwritten();
    } catch (error) {
      if (!isNoRoom(error)) throw error;
      this.#room.ranOut();
    }
  }

  /** In the order of the changes. */
  #writeUnwritten(): void {
    while (this.#unwritten.length > 0) {
      this.#unwritten[0]?.();
      this.#unwritten.shift();
    }
  }
}

type ContentsRow = Omit<MessageContents, 'messageAttributes'> & { messageAttributes: string };

/** With the digest of an empty body, which clients check. */
const NOTHING: MessageContents = {
  body: '',
  md5OfBody: 'd41d8cd98f00b204e9800998ecf8427e',
  messageAttributes: {},
  md5OfMessageAttributes: '',
};

function prepareStatements(database: DatabaseSync) {
  return {
    states: database.prepare(`
      SELECT message_id AS messageId, sent_timestamp AS sentTimestamp, delay_until AS delayUntil,
        approximate_receive_count AS approximateReceiveCount,
        approximate_first_receive_timestamp AS approximateFirstReceiveTimestamp
      FROM sqs_messages WHERE queue_name = ? ORDER BY rowid`),
    contents: database.prepare(`
      SELECT body, md5_of_body AS md5OfBody, message_attributes AS messageAttributes,
        md5_of_message_attributes AS md5OfMessageAttributes
      FROM sqs_messages WHERE message_id = ?`),
    receive: database.prepare(`
      UPDATE sqs_messages SET approximate_receive_count = ?, approximate_first_receive_timestamp = ? WHERE message_id = ?`),
    move: database.prepare(
      'UPDATE sqs_messages SET queue_name = ?, approximate_receive_count = ? WHERE message_id = ?',
    ),
  };
}

/** The error of SQS when it cannot accept a message now. */
export function noRoomForMessages(): SqsError {
  return new SqsError(
    'ServiceUnavailable',
    'the disk of the state folder is full: retry when there is room',
    503,
    false,
  );
}
