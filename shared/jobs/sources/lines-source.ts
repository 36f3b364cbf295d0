import type { Readable } from 'node:stream';
import { linesOf } from '../lines.ts';
import { type SourceRow, toSourceRow } from './source-row.ts';

/**
 * A URL a line, or a JSON object a line with `url` and, if wanted, `id` (or `custom_id`) and `meta`.
 * Empty lines are skipped.
 */
export async function* readLines(text: Readable, base: URL | undefined): AsyncGenerator<SourceRow> {
  let number = 0;
  for await (const line of linesOf(text)) {
    number++;
    const trimmed = line.trim();
    if (trimmed !== '') yield readLine(number, trimmed, base);
  }
}

function readLine(number: number, text: string, base: URL | undefined): SourceRow {
  if (!text.startsWith('{')) return toSourceRow(number, text, { url: text }, base);
  const parsed = parseJson(text);
  if (parsed === undefined) {
    const problem = `expected a URL or a JSON object, got ${JSON.stringify(text.slice(0, 80))}`;
    return { line: number, text, problem };
  }
  return toSourceRow(number, text, withId(parsed), base);
}

/** Batch APIs of other vendors call it `custom_id`. */
function withId({ custom_id, ...image }: Record<string, unknown>): unknown {
  return custom_id === undefined ? image : { id: custom_id, ...image };
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
