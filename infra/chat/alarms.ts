import { type AlarmSpecification, functionAlarms } from '../monitoring/alarm-specification.ts';
import type { ChatBot } from './chat-bot.ts';

/** The alarms of the chatbot; none for a stage without one. */
export function chatAlarms(chat: ChatBot | undefined): AlarmSpecification[] {
  if (chat === undefined) return [];
  return functionAlarms(chat.function, 'Chat', {
    errors: "Invocations of the chatbot's function crash or do not start: its users get an error message.",
    throttles: "The account's concurrency is used up: the chatbot does not answer.",
  });
}
