import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { MAX_RECEIVE_COUNT } from '../../shared/contract/limits.ts';
import { METRICS } from '../../shared/contract/metric-names.ts';
import { type AlarmSpecification, EACH_EVENT, FIVE_MINUTES } from '../monitoring/alarm-specification.ts';
import type { ServiceConfig } from '../service-config.ts';
import type { WorkerMetrics } from '../worker/metrics.ts';
import type { Queues } from './job-queues.ts';

const TWENTY_MINUTES = { threshold: 0, periods: 4, badPeriods: 4 };

/** The alarms on how messages wait, come back and fail. */
export function queueAlarms({ queue }: Queues, config: ServiceConfig, metrics: WorkerMetrics): AlarmSpecification[] {
  const max = { period: FIVE_MINUTES, statistic: Stats.MAXIMUM };
  const done = queue.metricNumberOfMessagesDeleted({ period: FIVE_MINUTES, statistic: Stats.SUM });
  return [
    {
      id: 'OldestMessage',
      runbook: 'oldest-message',
      means: `For 15 minutes, the oldest message has been waiting for more than ${config.oldestMessageAlarmMinutes} minutes: the workers are too few, too slow, or stopped.`,
      metric: queue.metricApproximateAgeOfOldestMessage(max),
      threshold: config.oldestMessageAlarmMinutes * 60,
      periods: 3,
      badPeriods: 3,
    },
    {
      id: 'NoProgress',
      runbook: 'no-progress',
      means: 'Messages are waiting, and no message was finished for 20 minutes: no worker is processing the queue.',
      // Of SQS alone, which reports zeros: a worker that never started has no metrics, and FILL() makes none of nothing.
      metric: new MathExpression({
        expression: 'IF(waiting > 0 AND done == 0, 1, 0)',
        usingMetrics: {
          waiting: queue.metricApproximateNumberOfMessagesVisible(max),
          done,
        },
        period: FIVE_MINUTES,
        label: 'no progress',
      }),
      ...TWENTY_MINUTES,
    },
    {
      id: 'NoProgressInFlight',
      runbook: 'no-progress',
      means: 'Messages are in flight, and no message was finished for 20 minutes: workers receive messages and crash.',
      // Of a worker that dies at its start, all messages are hidden until their visibility timeout ends. Not in one sum with
      // those that wait: this metric is documented to be there only while messages are in flight.
      metric: new MathExpression({
        expression: 'IF(taken > 0 AND done == 0, 1, 0)',
        usingMetrics: { taken: queue.metricApproximateNumberOfMessagesNotVisible(max), done },
        period: FIVE_MINUTES,
        label: 'no progress',
      }),
      ...TWENTY_MINUTES,
    },
    {
      id: 'MalformedMessages',
      runbook: 'malformed-messages',
      means:
        'A producer sent a malformed message: its images get no results. The body is in the dead-letter queue, with the reason.',
      metric: metrics.count(METRICS.messagesUnreadable, 'malformed', FIVE_MINUTES),
      threshold: 0,
      ...EACH_EVENT,
    },
    {
      id: 'LastDeliveries',
      runbook: 'last-deliveries',
      means: `A message is on delivery ${MAX_RECEIVE_COUNT}, its last, because workers crashed or could not write its outcome. If this one fails too, SQS moves the message unchanged to the dead-letter queue.`,
      metric: metrics.count(METRICS.messagesOnLastDelivery, 'last deliveries', FIVE_MINUTES),
      threshold: 0,
      ...EACH_EVENT,
    },
  ];
}
