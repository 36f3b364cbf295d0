/** The start of the escape that JSON.stringify writes for a lone surrogate. */
const SURROGATE_ESCAPE = '\\ud';

/** Any escape of a JSON string; the groups distinguish a pair from a lone surrogate. */
const ESCAPE = /\\(?:(?<pair>ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|(?<half>ud[89a-f][0-9a-f]{2})|.)/gi;

/**
 * Replaces lone surrogates in JSON lines. JavaScript strings, and so ids and `meta`, may contain them; UTF-8, and with it
 * DuckDB, Parquet and CSV, cannot. A lone surrogate becomes the six characters of its escape, so that different ids stay
 * different.
 */
export function escapeLoneSurrogates(lines: Buffer): Buffer {
  if (!lines.includes(SURROGATE_ESCAPE) && !lines.includes(SURROGATE_ESCAPE.toUpperCase())) return lines;
  // latin1 keeps each byte as it is, and escapes are ASCII.
  const text = lines
    .toString('latin1')
    .replaceAll(ESCAPE, (found, _pair: string | undefined, half: string | undefined) =>
      half === undefined ? found : `\\${found}`,
    );
  return Buffer.from(text, 'latin1');
}
