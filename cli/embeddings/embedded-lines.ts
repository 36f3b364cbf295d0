import { embeddingLength, TRUNK } from '../../shared/contract/embedding.ts';
import { parseExactJson } from '../../shared/contract/exact-json.ts';
import { MAX_ID_CHARS, MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import type { ResultLine } from '../../shared/contract/result-line.ts';

/** A result line with an embedding that looks like one; its numbers are checked when they are read. */
export type EmbeddedLine = ResultLine & { embedding: string; trunk: string };

/** What a line of a part file is: undefined for one without an embedding, or that is not a result line at all. */
export function embeddedLine(text: string): EmbeddedLine | undefined {
  const line = parsed(text);
  if (typeof line !== 'object' || line === null) return undefined;
  const { id, url, embedding, trunk } = line as Partial<ResultLine>;
  if (!isText(id, MAX_ID_CHARS) || !isText(url, MAX_URL_CHARS)) return undefined;
  if (embeddingLength(embedding) === undefined) return undefined;
  return typeof trunk === 'string' && TRUNK.test(trunk) ? (line as EmbeddedLine) : undefined;
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length <= maxChars;
}

function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/** The lines of a part file. */
export function linesIn(part: Buffer): string[] {
  const lines = part.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** For messages: which model made an embedding, in the words of its line. */
export function modelText({ model }: ResultLine): string {
  const { name, version } =
    typeof model === 'object' && model !== null ? model : { name: undefined, version: undefined };
  return typeof name === 'string' && typeof version === 'string' ? `${name} ${version}` : 'an unnamed model';
}
