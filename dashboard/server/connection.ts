import type { Connection } from '../contract/events.ts';
import { displayText } from './display-text.ts';

const MAX_REASON_CHARS = 160;

/** Whether a service answers, and since when it does or does not. */
export class ServiceConnection {
  #state: Connection = { state: 'connecting' };
  #lastAnswerAt: number | null = null;

  get state(): Connection {
    return this.#state;
  }

  answered(now: number): void {
    this.#lastAnswerAt = now;
    if (this.#state.state !== 'connected') this.#state = { state: 'connected', sinceAt: now };
  }

  failed(error: unknown, now: number): void {
    const sinceAt = this.#state.state === 'away' ? this.#state.sinceAt : now;
    this.#state = { state: 'away', sinceAt, lastAnswerAt: this.#lastAnswerAt, reason: reasonOf(error) };
  }
}

/** The SDK appends debugging lines; a connection that is refused at several addresses is an AggregateError. */
function reasonOf(error: unknown): string {
  const { errors = [] } = error as AggregateError;
  const cause: unknown = errors[0] ?? error;
  const { name = 'Error', message = '', code } = cause as NodeJS.ErrnoException;
  const [line = ''] = message.split('\n', 1);
  const text = line.includes(code ?? name) ? line : [code ?? name, line].filter((part) => part !== '').join(': ');
  return displayText(text, MAX_REASON_CHARS);
}
