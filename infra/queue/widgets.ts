import { Duration } from 'aws-cdk-lib';
import { type IMetric, type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { computed, graph, heading, most, perMinute } from '../monitoring/graph.ts';
import type { Queues } from './job-queues.ts';

/** A pace of one minute goes up and down with the batches. */
const PACE = Duration.minutes(5);
const DAY_MINUTES = 24 * 60;

/** What is in the queue, for how long, and how fast it comes and goes. All is counted in messages. */
export function queueWidgets(queues: Queues, oldestMessageAlarmMinutes: number): IWidget[][] {
  const { queue } = queues;
  return [
    [heading('Queue', 'SQS counts messages, of up to 1,000 images each. Those in flight are with a worker.')],
    [
      graph('Messages in the queue', {
        left: {
          label: 'messages',
          metrics: [
            queue.metricApproximateNumberOfMessagesVisible(most('waiting')),
            queue.metricApproximateNumberOfMessagesNotVisible(most('in flight')),
            queue.metricApproximateNumberOfMessagesDelayed(most('delayed for a retry')),
          ],
        },
      }),
      graph('Age of the oldest message, and time to drain', {
        left: { label: 'minutes', metrics: [oldestMessageMinutes(queues), minutesToDrain(queues)] },
        threshold: { value: oldestMessageAlarmMinutes, label: 'alarm on the age' },
      }),
      graph('Messages per minute', {
        left: {
          label: 'messages per minute',
          metrics: [
            queue.metricNumberOfMessagesSent(perMinute('sent, by producers and for retries')),
            queue.metricNumberOfMessagesDeleted(perMinute('done')),
          ],
        },
      }),
    ],
  ];
}

export function oldestMessageMinutes({ queue }: Queues): IMetric {
  return computed('oldest message', 'age / 60', { age: queue.metricApproximateAgeOfOldestMessage(most('age')) });
}

/**
 * Minutes until the queue is empty, at the pace of the last five: all that is in it, over what is done beyond what comes.
 * No value while the queue gets shorter so slowly that it would take more than a day, or not at all: one such value would
 * flatten all others. Of SQS alone, which reports zeros while the queue is in use.
 */
export function minutesToDrain({ queue }: Queues): IMetric {
  const now = { statistic: Stats.AVERAGE, period: PACE };
  const all = { statistic: Stats.SUM, period: PACE };
  const messages = 'waiting + taken + delayed';
  const perMinute = '(done - sent) * 60 / PERIOD(done)';
  return computed(
    'time to drain',
    `IF(${messages} == 0, 0, IF(${messages} <= ${DAY_MINUTES} * ${perMinute}, (${messages}) / (${perMinute})))`,
    {
      waiting: queue.metricApproximateNumberOfMessagesVisible(now),
      taken: queue.metricApproximateNumberOfMessagesNotVisible(now),
      delayed: queue.metricApproximateNumberOfMessagesDelayed(now),
      sent: queue.metricNumberOfMessagesSent(all),
      done: queue.metricNumberOfMessagesDeleted(all),
    },
    PACE,
  );
}
