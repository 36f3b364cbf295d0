import { embeddingLength, TRUNK } from '../../shared/contract/embedding.ts';
import { parseExactJson } from '../../shared/contract/exact-json.ts';
import { MAX_ID_CHARS, MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import type { ResultLine } from '../../shared/contract/result-line.ts';

/** A result line with an embedding that looks like one; its numbers are checked when they are read. */
export type EmbeddedLine = ResultLine & { embedding: string; trunk: string };

/** What a line of a part file is: undefined for one without an embedding, or that is not a result line at all. */
export function embeddedLine(text: string): EmbeddedLine | undefined {
  const line = parsedAround(text) ?? parsedLine(text);
  if (typeof line !== 'object' || line === null) return undefined;
  if (!namesImage(line)) return undefined;
  const { embedding, trunk } = line as Partial<ResultLine>;
  if (embeddingLength(embedding) === undefined) return undefined;
  return typeof trunk === 'string' && TRUNK.test(trunk) ? (line as EmbeddedLine) : undefined;
}

/** Whether a line has the id and the URL of an image, in the lengths that they may have. */
export function namesImage(line: { id?: unknown; url?: unknown }): boolean {
  return isText(line.id, MAX_ID_CHARS) && isText(line.url, MAX_URL_CHARS);
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length <= maxChars;
}

/** As a worker writes it. Within a string its quotes would be escaped, so it is nothing but a field. */
const FIELD = '"embedding":"';

/**
 * A line whose embedding was not parsed with the rest, but cut out: five times as fast, and no copy for the garbage collection.
 *
 * @returns undefined when that is not possible
 */
function parsedAround(text: string): object | undefined {
  const field = text.indexOf(FIELD);
  if (field === -1 || text.lastIndexOf(FIELD) !== field) return undefined;
  const start = field + FIELD.length;
  const end = text.indexOf('"', start);
  const line = parsedLine(text.slice(0, start) + text.slice(end)) as Partial<ResultLine> | null | undefined;
  // Otherwise the field is one of `meta`.
  return line?.embedding === '' ? Object.assign(line, { embedding: text.slice(start, end) }) : undefined;
}

/** The JSON of a line; undefined for what is not JSON. */
export function parsedLine(text: string): unknown {
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
