/** DuckDB's parser ends a statement at this character, wherever it stands. */
const NUL = '\u0000';

/** A text as an SQL literal. COPY and read_json take no parameters, and no statement may contain NUL. */
export function literal(text: string): string {
  const parts = text.split(NUL).map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? parts.join('') : `(${parts.join(' || chr(0) || ')})`;
}

/** An SQL identifier; NUL, which is not allowed in one, is escaped. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""').replaceAll(NUL, '\\u0000')}"`;
}
