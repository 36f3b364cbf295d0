import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type AlarmSpecification, FIVE_MINUTES } from './alarm-specification.ts';
import type { ChatBot } from './chat-bot.ts';

/** The alarms of the chatbot; none for a stage without one. */
export function chatAlarms(chat: ChatBot | undefined): AlarmSpecification[] {
  if (chat === undefined) return [];
  const sum = { period: FIVE_MINUTES, statistic: Stats.SUM };
  return [
    {
      id: 'ChatFunctionErrors',
      runbook: 'chat-function-errors',
      means: "Invocations of the chatbot's function die or do not start.",
      metric: chat.function.metricErrors(sum),
      threshold: 0,
      periods: 6,
      badPeriods: 2,
    },
    {
      id: 'ChatThrottles',
      runbook: 'chat-throttles',
      means: "The account's concurrency is used up, and the chatbot does not answer.",
      metric: chat.function.metricThrottles(sum),
      threshold: 0,
      periods: 3,
      badPeriods: 2,
    },
  ];
}
