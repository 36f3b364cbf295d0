import type { SQSRecord } from 'aws-lambda';
import { maySendOn, type QueueMessage } from '../../shared/contract/message.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';

/** A record with its parsed body. */
export type ParsedRecord = { record: SQSRecord; message: QueueMessage };

/** The records of an invocation, grouped by how they must be processed. */
export type TriagedRecords = {
  malformed: { record: SQSRecord; why: MalformedMessage }[];
  /** First deliveries: safe to process together. */
  fresh: ParsedRecord[];
  /** Redelivered, with several images: one of them may have crashed a worker. */
  toSplit: ParsedRecord[];
  /**
   * Redelivered, with a single image, or at the end of its chain, where it cannot be split. Sorted by receive count, lowest
   * first.
   */
  poisonCandidates: ParsedRecord[];
};

/** Groups the records of an invocation by their receive count and number of images. */
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

/** How often SQS has delivered the message, this delivery included. */
export function receiveCount({ attributes }: SQSRecord): number {
  return Number(attributes.ApproximateReceiveCount);
}
