import type { SQSRecord } from 'aws-lambda';
import { MalformedMessage, maySendOn, parseMessage, type QueueMessage } from '../../shared/contract/message.ts';

/** A record whose body could be read. */
export type ParsedRecord = { record: SQSRecord; message: QueueMessage };

/** The records of an invocation by what has to be done with them. */
export type TriagedRecords = {
  malformed: { record: SQSRecord; why: MalformedMessage }[];
  /** Delivered for the first time: nothing speaks against taking them together. */
  fresh: ParsedRecord[];
  /** Delivered before, with several images: one of them may have killed a worker. */
  toSplit: ParsedRecord[];
  /** Delivered before, with a single image or at the end of its chain, where it cannot be split; those delivered least often come first. */
  poisonCandidates: ParsedRecord[];
};

export function triageRecords(records: readonly SQSRecord[]): TriagedRecords {
  const triaged: TriagedRecords = { malformed: [], fresh: [], toSplit: [], poisonCandidates: [] };
  for (const record of records) {
    const message = parseMessage(record.body);
    if (message instanceof MalformedMessage) triaged.malformed.push({ record, why: message });
    else if (receiveCount(record) === 1) triaged.fresh.push({ record, message });
    else if (message.images.length > 1 && maySendOn(message)) triaged.toSplit.push({ record, message });
    else triaged.poisonCandidates.push({ record, message });
  }
  triaged.poisonCandidates.sort((one, other) => receiveCount(one.record) - receiveCount(other.record));
  return triaged;
}

/** How often SQS has delivered the message, this time included. */
export function receiveCount({ attributes }: SQSRecord): number {
  return Number(attributes.ApproximateReceiveCount);
}
