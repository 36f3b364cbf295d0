import { Queue } from '../shared/classifier/queue.ts';
import { SqsQueue, type StoredMessage } from './fauxqs-parts.ts';
import { LazyMessage } from './lazy-message.ts';
import { QueueDatabase } from './queue-database.ts';

/**
 * Stored queues have message contents only on disk, see `LazyMessage`. fauxqs 2.4.1 holds them in memory; this file
 * patches its queue. FIFO queues are unchanged: the one for job ends has few messages.
 */
const { enqueue, dequeue } = SqsQueue.prototype;

SqsQueue.prototype.enqueue = function enqueueKept(message) {
  const { persistence } = this;
  const isKept = persistence instanceof QueueDatabase && !this.isFifo() && !(message instanceof LazyMessage);
  enqueue.call(this, isKept ? persistence.keep(this.name, message) : message);
};

SqsQueue.prototype.dequeue = function dequeueKept(...wanted) {
  takeFirstInConstantTime(this);
  const { persistence } = this;
  const handOut = () => dequeue.apply(this, wanted);
  return persistence instanceof QueueDatabase ? persistence.handingOut(handOut) : handOut();
};

/**
 * fauxqs shifts messages from an array, which moves all others: half a millisecond per message with 100,000 of them.
 * `Queue` has all methods that fauxqs uses; new and purged queues get an array again.
 */
function takeFirstInConstantTime(queue: SqsQueue): void {
  if (!Array.isArray(queue.messages)) return;
  const messages = new Queue<StoredMessage>();
  for (const message of queue.messages) messages.push(message);
  queue.messages = messages as unknown as StoredMessage[];
}
