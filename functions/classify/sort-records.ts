import type { SQSRecord } from 'aws-lambda';
import { maySendOn, parseMessage, type QueueMessage, UnreadableMessage } from '../../shared/contract/message.ts';

/** A record whose body could be read. */
export type ReadRecord = { record: SQSRecord; message: QueueMessage };

/** The records of an invocation by what has to be done with them. */
export type SortedRecords = {
  unreadable: { record: SQSRecord; why: UnreadableMessage }[];
  /** Delivered for the first time: nothing speaks against taking them together. */
  fresh: ReadRecord[];
  /** Delivered before, with several images: one of them may have killed a worker. */
  toSplit: ReadRecord[];
  /** Delivered before, with a single image or at the end of its chain, where it cannot be split; those delivered least often come first. */
  suspects: ReadRecord[];
};

export function sortRecords(records: readonly SQSRecord[]): SortedRecords {
  const sorted: SortedRecords = { unreadable: [], fresh: [], toSplit: [], suspects: [] };
  for (const record of records) {
    const message = parseMessage(record.body);
    if (message instanceof UnreadableMessage) sorted.unreadable.push({ record, why: message });
    else if (receiveCount(record) === 1) sorted.fresh.push({ record, message });
    else if (message.images.length > 1 && maySendOn(message)) sorted.toSplit.push({ record, message });
    else sorted.suspects.push({ record, message });
  }
  sorted.suspects.sort((one, other) => receiveCount(one.record) - receiveCount(other.record));
  return sorted;
}

/** How often SQS has delivered the message, this time included. */
export function receiveCount({ attributes }: SQSRecord): number {
  return Number(attributes.ApproximateReceiveCount);
}
