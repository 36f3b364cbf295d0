import { z } from 'zod';

/** Long enough for several wrong fields, short enough for a message attribute and a log line. */
const MAX_REASON_CHARS = 500;

/** Why a body is none of the forms that are accepted; only of characters that SQS takes. */
export class MalformedMessage {
  /** For logs: nothing of the body is in it but the names of fields that no form has. */
  readonly expected: string;
  /** For those who have the body before them anyway: what was expected, and the start of what came. */
  readonly reason: string;
  readonly #got: string | undefined;

  constructor(expected: string, got?: string) {
    this.#got = got;
    this.expected = shortSqsText(expected);
    this.reason = got === undefined ? this.expected : shortSqsText(`${expected}, got ${got}`);
  }

  /** The same of a body that was in an envelope. */
  within(envelope: string): MalformedMessage {
    return new MalformedMessage(`${envelope}: ${this.expected}`, this.#got);
  }
}

function shortSqsText(text: string): string {
  return text
    .slice(0, MAX_REASON_CHARS)
    .replaceAll(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}

/** What was wrong, each with its field. */
export function malformed(error: z.ZodError): MalformedMessage {
  return new MalformedMessage(z.prettifyError(error).replaceAll(/\s+/g, ' '));
}

/** The query of a URL may hold a signature, so no more than its start is ever shown. */
export function quoteStart(text: string): string {
  const start = text.split('?', 1)[0] ?? '';
  return JSON.stringify(start.length > 80 || start.length < text.length ? `${start.slice(0, 80)}…` : start);
}
