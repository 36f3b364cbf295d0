import { MAX_MESSAGE_BYTES } from '../../../shared/contract/limits.ts';
import { END_OF_FILE, type Line } from './text-lines.ts';

/** How the fields of a row are separated. */
export type TableFormat = {
  /** One character. */
  delimiter: string;
  /** Whether fields may be quoted, as in CSV (RFC 4180); in TSV a quote is a character like others. */
  quotes: boolean;
};

/** A row as it stands in the source; `line` is that of its end. */
export type TableRow = { line: number; raw: string } & ({ fields: string[] } | { problem: string });

/** A longer row fits no message. The limit also bounds a quote that is never closed. */
const MAX_ROW_CHARS = MAX_MESSAGE_BYTES;
const BROKEN_QUOTES =
  'broken quotes: expected a field that begins with a quote to end with one, and a quote within it to be doubled';

/**
 * The rows of a table, in batches. A row with broken quotes is invalid alone: reading continues with the line after its
 * first one. No CSV library does that (csv-parse with `skip_records_with_error` included): there, an unclosed quote
 * swallows the following rows, up to the next quote or the end.
 */
export async function* tableRows(
  batches: AsyncIterable<readonly Line[]>,
  format: TableFormat,
): AsyncGenerator<TableRow[]> {
  let width: number | undefined;
  let pending: readonly Line[] = [];
  for await (const lines of batches) {
    pending = pending.length === 0 ? lines : [...pending, ...lines];
    const taken = takeRows(pending, format, width, false);
    width = taken.width;
    pending = pending.slice(taken.used);
    if (taken.rows.length > 0) yield taken.rows;
  }
  const { rows } = takeRows(pending, format, width, true);
  if (rows.length > 0) yield rows;
}

type Taken = { rows: TableRow[]; used: number; width: number | undefined };

/** @param isLast whether no more lines follow */
function takeRows(lines: readonly Line[], format: TableFormat, given: number | undefined, isLast: boolean): Taken {
  const rows: TableRow[] = [];
  let width = given;
  let used = 0;
  while (used < lines.length) {
    const found = takeRow(lines, used, format, width, isLast);
    if (found === 'needs more lines') break;
    used += found.lines;
    if (found.row === undefined) continue;
    rows.push(found.row);
    if ('fields' in found.row) width ??= found.row.fields.length;
  }
  return { rows, used, width };
}

type Found = { row: TableRow | undefined; lines: number };

function takeRow(
  lines: readonly Line[],
  at: number,
  { delimiter, quotes }: TableFormat,
  width: number | undefined,
  isLast: boolean,
): Found | 'needs more lines' {
  const line = lines[at] as Line;
  if (line.problem !== undefined) return only(line, { problem: line.problem });
  if (isBlank(line.text, delimiter)) return { row: undefined, lines: 1 };
  if (quotes && line.text.includes('"')) return quotedRow(lines, at, delimiter, width, isLast);
  return only(line, checked(line.text.split(delimiter), width, delimiter));
}

/** Spreadsheets write emptied rows as delimiters only. */
function isBlank(text: string, delimiter: string): boolean {
  const start = text.trimStart();
  return (
    start === '' ||
    start === END_OF_FILE ||
    (start.startsWith(delimiter) && start.replaceAll(delimiter, '').trim() === '')
  );
}

/** A row that may span several lines. It is only accepted if it has as many fields as the others. */
function quotedRow(
  lines: readonly Line[],
  at: number,
  delimiter: string,
  width: number | undefined,
  isLast: boolean,
): Found | 'needs more lines' {
  const first = lines[at] as Line;
  let row: OpenRow = { raw: first.text, fields: splitQuoted(first.text, delimiter, width), last: first };
  if (Array.isArray(row.fields)) return only(first, checked(row.fields, width, delimiter));
  for (let count = 1; row.fields === 'open' && row.raw.length <= MAX_ROW_CHARS; count++) {
    const next = lines[at + count];
    if (next === undefined && !isLast) return 'needs more lines';
    if (next === undefined || next.problem !== undefined) break;
    row = continued(row, next, delimiter, width);
    if (Array.isArray(row.fields) && row.fields.length === (width ?? row.fields.length)) {
      return { row: { line: next.number, raw: row.raw, fields: row.fields }, lines: count + 1 };
    }
  }
  return only(first, { problem: BROKEN_QUOTES });
}

type OpenRow = { raw: string; fields: ReturnType<typeof splitQuoted>; last: Line };

/** Splits again only when the line has a quote that may close the field: a field of many lines takes linear time. */
function continued({ raw, fields, last }: OpenRow, next: Line, delimiter: string, width: number | undefined): OpenRow {
  const longer = `${raw}${last.end ?? '\n'}${next.text}`;
  const mayClose = closingQuote(next.text, 0) !== -1;
  return { raw: longer, fields: mayClose ? splitQuoted(longer, delimiter, width) : fields, last: next };
}

function only({ number, text }: Line, outcome: { fields: string[] } | { problem: string }): Found {
  return { row: { line: number, raw: text, ...outcome }, lines: 1 };
}

function checked(
  fields: string[],
  width: number | undefined,
  delimiter: string,
): { fields: string[] } | { problem: string } {
  if (width === undefined || fields.length === width) return { fields };
  // Many programs end each row, but not the header, with a delimiter.
  if (fields.length === width + 1 && fields.at(-1) === '') return { fields: fields.slice(0, width) };
  const expected = `expected ${width === 1 ? '1 field' : `${width} fields`} as in the header line, got ${fields.length}`;
  const hint = `quote a field that has ${JSON.stringify(delimiter)} in it, or set another --delimiter`;
  return { problem: fields.length > width ? `${expected}: ${hint}` : expected };
}

/**
 * Fields of which some may be quoted. A quote that does not begin its field is a character like others.
 *
 * @param most maximum number of fields; more mean broken quotes
 */
export function splitQuoted(text: string, delimiter: string, most: number | undefined): string[] | 'open' | 'broken' {
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, delimiter, at);
    if (field === undefined) return fields.length < (most ?? Number.POSITIVE_INFINITY) ? 'open' : 'broken';
    fields.push(field.value);
    if (field.end === text.length) return fields;
    if (text[field.end] !== delimiter) return 'broken';
    at = field.end;
  }
}

type Field = { value: string; end: number };

/** Undefined when the quote is not closed. */
function quotedField(text: string, start: number): Field | undefined {
  const quote = closingQuote(text, start + 1);
  if (quote === -1) return undefined;
  return { value: text.slice(start + 1, quote).replaceAll('""', '"'), end: quote + 1 };
}

function plainField(text: string, delimiter: string, start: number): Field {
  const next = text.indexOf(delimiter, start);
  const end = next === -1 ? text.length : next;
  return { value: text.slice(start, end), end };
}

/** The first quote that is not doubled; -1 if there is none. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return -1;
}
