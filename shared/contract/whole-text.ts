/**
 * The text with every character whole. Strings of JavaScript and JSON may hold half a surrogate pair; UTF-8
 * and strict JSON readers (DuckDB, Parquet, pandas) cannot. Half a pair becomes the six characters of its escape,
 * `\ud83d`, so that texts that differ still do.
 */
export function wholeText(text: string): string {
  return text.isWellFormed() ? text : text.replaceAll(/\p{Surrogate}/gu, escapeOf);
}

function escapeOf(half: string): string {
  return `\\u${half.charCodeAt(0).toString(16)}`;
}
