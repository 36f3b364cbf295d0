import { parseExactJson } from '../../../shared/contract/exact-json.ts';
import { ABSOLUTE_URL, type SourceRow, toSourceRow, urlRow } from '../../../shared/jobs/source-row.ts';
import type { SourceReading } from './source-reading.ts';
import { END_OF_FILE, type Line } from './text-lines.ts';

/**
 * A URL per line, or a JSON object per line with `url` and, if wanted, `id` (or `custom_id`) and `meta`.
 * Empty lines are skipped, and so are comments, which begin with `#`.
 */
export async function* readLines(
  batches: AsyncIterable<readonly Line[]>,
  base: URL | undefined,
  reading: SourceReading,
): AsyncGenerator<SourceRow> {
  for await (const lines of batches) {
    for (const line of lines) {
      const text = line.text.trim();
      if (text === '' || text === END_OF_FILE || text.startsWith('#')) continue;
      reading.row = text;
      yield readLine(line, text, base);
    }
  }
}

function readLine({ number, problem }: Line, text: string, base: URL | undefined): SourceRow {
  if (problem !== undefined) return { line: number, text, problem };
  if (!text.startsWith('{')) return readUrl(number, text, base);
  const parsed = parseJson(text);
  if (parsed === undefined) {
    const problem = `expected a URL or a JSON object, got ${JSON.stringify(text.slice(0, 80))}`;
    return { line: number, text, problem };
  }
  return toSourceRow(number, text, withId(parsed), base);
}

/** Only S3 keys and file names (in relative URLs) may contain spaces. */
function readUrl(number: number, text: string, base: URL | undefined): SourceRow {
  const space = text.search(/\s/);
  const more = text.includes('\t') || (space !== -1 && /^https?:/i.test(text) && ABSOLUTE_URL.test(text));
  if (!more && text.endsWith(',') && ABSOLUTE_URL.test(text)) {
    const problem = `expected one URL per line, got a comma at its end; name the columns in a header line, or write it as %2C`;
    return { line: number, text, problem };
  }
  if (!more) return urlRow(number, text, base);
  const problem =
    `expected one URL per line, got more: ${JSON.stringify(text.slice(space).trim().slice(0, 80))} after ` +
    'the URL. Give a table a header line and --format csv or tsv; write a space in a URL as %20';
  return { line: number, text, problem };
}

/** Batch APIs of other vendors call it `custom_id`. */
function withId({ custom_id, ...image }: Record<string, unknown>): unknown {
  return custom_id === undefined ? image : { id: custom_id, ...image };
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return parseExactJson(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
