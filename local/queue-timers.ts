import { SqsQueue } from './fauxqs-parts.ts';

/**
 * When messages become visible: fauxqs 2.4.1 scans all delayed and in-flight messages at each receive, and every 20 ms
 * during long polls, but not before it counts them. This file patches its queue: it scans when the next message is due,
 * in batches, and before it counts.
 */
const { enqueue, dequeue, changeVisibility, processTimers, getAllAttributes } = SqsQueue.prototype;

/**
 * Scanning 100,000 messages takes milliseconds; while messages are due one after the other, it happens every 100 ms.
 */
const MESSAGES_PER_MS = 1_000;

/** The earliest time at which a message is due; unknown for a queue that is missing here. */
const nextDue = new WeakMap<SqsQueue, number>();

function isDueAt(queue: SqsQueue, time: number | undefined): void {
  const known = nextDue.get(queue);
  if (known !== undefined && time !== undefined && time < known) nextDue.set(queue, time);
}

SqsQueue.prototype.enqueue = function enqueueDelayed(message) {
  enqueue.call(this, message);
  isDueAt(this, message.delayUntil);
};

SqsQueue.prototype.dequeue = function dequeueUntil(...wanted) {
  const received = dequeue.apply(this, wanted);
  for (const { ReceiptHandle } of received) isDueAt(this, this.inflightMessages.get(ReceiptHandle)?.visibilityDeadline);
  return received;
};

SqsQueue.prototype.changeVisibility = function changeVisibilityUntil(receiptHandle, seconds) {
  changeVisibility.call(this, receiptHandle, seconds);
  isDueAt(this, this.inflightMessages.get(receiptHandle)?.visibilityDeadline);
};

SqsQueue.prototype.processTimers = function processTimersThatAreDue() {
  const due = nextDue.get(this);
  if (due !== undefined && Date.now() < due && !this.isFifo()) return;
  processTimers.call(this);
  nextDue.set(this, Math.max(earliest(this), Date.now() + this.inflightMessages.size / MESSAGES_PER_MS));
};

SqsQueue.prototype.getAllAttributes = function getAllAttributesOfNow(requested) {
  this.processTimers();
  return getAllAttributes.call(this, requested);
};

function earliest({ inflightMessages, delayedMessages }: SqsQueue): number {
  let time = Number.POSITIVE_INFINITY;
  for (const { visibilityDeadline } of inflightMessages.values()) time = Math.min(time, visibilityDeadline);
  for (const { delayUntil = 0 } of delayedMessages) time = Math.min(time, delayUntil);
  return time;
}
