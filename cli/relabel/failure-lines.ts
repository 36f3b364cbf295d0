import { ERROR_CODES } from '../../shared/contract/error-codes.ts';
import type { FailureLine } from '../../shared/contract/result-line.ts';
import { hasValidImageRef, linesIn, parsedLine } from '../embeddings/embedded-lines.ts';

/** The failure lines of a part file, and the number of malformed lines. */
export type FailureLines = { lines: FailureLine[]; unreadable: number };

export function failureLinesIn(part: Buffer): FailureLines {
  const texts = linesIn(part);
  const lines = texts.flatMap((text) => failureLine(text) ?? []);
  return { lines, unreadable: texts.length - lines.length };
}

/** Undefined for a line without an image or with an unknown code. */
function failureLine(text: string): FailureLine | undefined {
  const line = parsedLine(text);
  if (!isObject(line) || !hasValidImageRef(line)) return undefined;
  const { error } = line as Partial<FailureLine>;
  if (!isObject(error)) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (line as FailureLine) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
