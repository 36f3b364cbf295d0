/**
 * Preserves the digits of numbers in `meta`. DuckDB reads a JSON number as a double, so `1.10` becomes `1.1` and digits
 * after the seventeenth are lost. In the database such a number is a marked string; exports turn it back into a number.
 */

/** Two private-use characters; text that already contains them is not changed. */
const MARK = '\uE4A1\uE4A2';
/** As `latin1` reads the bytes of its UTF-8. */
const MARK_BYTES = Buffer.from(MARK).toString('latin1');
/** Quotes within strings are escaped, so this is nothing but the field. */
const META = '"meta":{';
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}]|-?\d[\d.eE+-]*/g;

/** Marks the numbers in the `meta` of JSON lines that DuckDB would write differently. */
export function withMarkedNumbers(lines: Buffer): Buffer {
  if (!lines.includes(META) || lines.includes(MARK)) return lines;
  const text = lines.toString('latin1');
  const marked: string[] = [];
  let copied = 0;
  for (let at = text.indexOf(META); at >= 0; at = text.indexOf(META, copied)) {
    const start = at + META.length - 1;
    const end = endOfObject(text, start);
    marked.push(text.slice(copied, start), markNumbers(text.slice(start, end)));
    copied = end;
  }
  marked.push(text.slice(copied));
  return Buffer.from(marked.join(''), 'latin1');
}

/** @returns the end of the object that starts there; the end of the text if it is not closed */
function endOfObject(text: string, start: number): number {
  TOKEN.lastIndex = start;
  let depth = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    if (match[0] === '{') depth++;
    if (match[0] === '}') depth--;
    if (depth === 0) return TOKEN.lastIndex;
  }
  return text.length;
}

function markNumbers(json: string): string {
  return json.replaceAll(TOKEN, (token) =>
    /^[-\d]/.test(token) && String(Number(token)) !== token ? `"${MARK_BYTES}${token}"` : token,
  );
}

const NUMBER = '([-+.0-9eE]+)';

/** SQL: JSON as text, with its original numbers. */
export function jsonWithNumbers(json: string): string {
  return restored(`(${json})::VARCHAR`, `"${MARK}${NUMBER}"`);
}

/** SQL: the result of `json_extract_string`, with its original numbers. */
export function textWithNumbers(text: string): string {
  return restored(text, `"?${MARK}${NUMBER}"?`);
}

function restored(text: string, marked: string): string {
  return `CASE WHEN contains(${text}, '${MARK}') THEN regexp_replace(${text}, '${marked}', '\\1', 'g') ELSE ${text} END`;
}
