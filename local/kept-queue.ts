import { Queue } from '../shared/classifier/queue.ts';
import { SqsQueue, type StoredMessage } from './fauxqs-parts.ts';
import { KeptMessage } from './kept-message.ts';
import { QueueDatabase } from './queue-database.ts';

/**
 * Queues that are kept on disk have what their messages say there alone, see `KeptMessage`. fauxqs 2.4.1 has all
 * of it in memory; its queue is corrected in place. FIFO queues stay as they are: that of looks at ends of jobs has a few messages.
 */
const { enqueue, dequeue } = SqsQueue.prototype;

SqsQueue.prototype.enqueue = function enqueueKept(message) {
  const { persistence } = this;
  const isKept = persistence instanceof QueueDatabase && !this.isFifo() && !(message instanceof KeptMessage);
  enqueue.call(this, isKept ? persistence.keep(this.name, message) : message);
};

SqsQueue.prototype.dequeue = function dequeueKept(...wanted) {
  takeFirstInConstantTime(this);
  const { persistence } = this;
  const handOut = () => dequeue.apply(this, wanted);
  return persistence instanceof QueueDatabase ? persistence.handingOut(handOut) : handOut();
};

/**
 * fauxqs takes messages from the front of an array, which moves all that are behind it: half a millisecond per message of
 * 100,000. It asks of it no more than a `Queue` has; a new queue and one that was purged have an array again.
 */
function takeFirstInConstantTime(queue: SqsQueue): void {
  if (!Array.isArray(queue.messages)) return;
  const messages = new Queue<StoredMessage>();
  for (const message of queue.messages) messages.push(message);
  queue.messages = messages as unknown as StoredMessage[];
}
