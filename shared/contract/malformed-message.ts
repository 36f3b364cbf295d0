import { z } from 'zod';

/** Long enough for several wrong fields, short enough for a message attribute and a log line. */
const MAX_REASON_CHARS = 500;

/** Why a body is malformed; the texts contain only characters that SQS accepts. */
export class MalformedMessage {
  /** For logs: contains nothing of the body except the names of unknown fields. */
  readonly expected: string;
  /** For readers who have access to the body: what was expected, and the start of what came instead. */
  readonly reason: string;
  readonly #got: string | undefined;

  constructor(expected: string, got?: string) {
    this.#got = got;
    this.expected = shortSqsText(expected);
    this.reason = got === undefined ? this.expected : shortSqsText(`${expected}, got ${got}`);
  }

  /** The same for a body within an envelope. */
  within(envelope: string): MalformedMessage {
    return new MalformedMessage(`${envelope}: ${this.expected}`, this.#got);
  }
}

function shortSqsText(text: string): string {
  return text
    .slice(0, MAX_REASON_CHARS)
    .replaceAll(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}

/** The issues of a schema, each with its field. */
export function malformed(error: z.ZodError): MalformedMessage {
  return new MalformedMessage(z.prettifyError(error).replaceAll(/\s+/g, ' '));
}

/** The start of a text, without a URL's query, which may hold a signature. */
export function quoteStart(text: string): string {
  const start = text.split('?', 1)[0] ?? '';
  return JSON.stringify(start.length > 80 || start.length < text.length ? `${start.slice(0, 80)}…` : start);
}
