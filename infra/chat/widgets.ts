import type { IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { durations, faults, logTable } from '../monitoring/function-widgets.ts';
import { graph, heading, perMinute } from '../monitoring/graph.ts';
import type { ChatBot } from './chat-bot.ts';

/** Turns of conversations, and how long they take. */
export function chatWidgets({ function: fn, logGroup }: ChatBot): IWidget[][] {
  return [
    [heading('Chatbot', 'Lex calls the function once or twice for each thing that is said.')],
    [
      graph('Chatbot: turns per minute', {
        left: {
          label: 'per minute',
          metrics: [fn.metricInvocations(perMinute('turns')), ...faults(fn)],
        },
      }),
      graph('Chatbot: ms per turn', { left: { label: 'ms', metrics: durations(fn, ['p50', 'p95']) } }),
      logTable('Chatbot: turns, by outcome and code', logGroup, [
        'filter message = "turn answered"',
        'stats count(*) as turns by outcome, code',
        'sort turns desc',
      ]),
    ],
  ];
}
