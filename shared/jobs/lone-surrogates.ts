/** What JSON.stringify makes of half a surrogate pair starts like this. */
const SURROGATE_ESCAPE = '\\ud';

/** Any escape of a JSON string; the groups tell a whole pair from half of one. */
const ESCAPE = /\\(?:(?<pair>ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|(?<half>ud[89a-f][0-9a-f]{2})|.)/gi;

/**
 * JSON lines in which every character is whole. JavaScript's strings may hold half a surrogate pair, and
 * so may an id or `meta`; UTF-8, and with it DuckDB, Parquet and CSV, cannot. Half a pair becomes
 * the six characters of its escape, so that ids that differ still do.
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
