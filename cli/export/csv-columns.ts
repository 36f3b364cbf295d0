import type { JobRun } from '../../shared/contract/job-run.ts';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import { jsonWithNumbers, textWithNumbers } from './exact-numbers.ts';
import type { OutcomeDatabase } from './outcome-database.ts';
import { identifier, literal } from './sql.ts';

/** Up to this many keys of `meta` become columns; beyond that, `meta` is one column of JSON. */
const MAX_META_COLUMNS = 50;

/**
 * Characters at the start of a cell that make a spreadsheet read it as a formula, or split it: operators, their
 * full-width forms (which a Japanese Excel accepts), white space that is skipped, and delimiters.
 */
const DANGEROUS_START = '^[=+\\-@＝＋－＠\\t\\r\\n,;]';

/** Negative numbers are harmless. */
const NUMBER = '^-[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$';

/**
 * Flattens nested fields: `label1`, `score1`, `label2`, ... and `meta.<key>`. Untrusted text that a spreadsheet would
 * run as a formula gets a leading `'` (OWASP, "CSV Injection"); the other formats leave it unchanged.
 */
export async function csvColumns(
  database: OutcomeDatabase,
  _of: JobRun,
  kind: PartKind,
  byteOrderMark: boolean,
): Promise<string[]> {
  const outcome = kind === 'results' ? await resultColumns(database) : FAILURE_COLUMNS;
  const at = `strftime("at", '%Y-%m-%dT%H:%M:%S.%gZ') AS "at"`;
  return [
    // The byte order mark is part of the first column's name: COPY has no other way to write one.
    harmless('id', byteOrderMark ? '\uFEFFid' : 'id'),
    harmless('url', 'url'),
    ...outcome,
    'attempt',
    at,
    ...(await metaColumns(database, kind)),
  ];
}

const FAILURE_COLUMNS = [
  'error.code AS code',
  'error.stage AS stage',
  harmless('error.message', 'message'),
  'error.retryable AS retryable',
];

async function resultColumns(database: OutcomeDatabase): Promise<string[]> {
  const [longest] = await database.rows<{ labels: number | null }>(
    'SELECT max(len(labels))::INTEGER AS labels FROM results',
  );
  const labels = Array.from({ length: longest?.labels ?? 0 }, (_, index) => [
    harmless(`labels[${index + 1}]."label"`, `label${index + 1}`),
    `labels[${index + 1}].score AS score${index + 1}`,
  ]);
  return [
    ...labels.flat(),
    harmless('model."name"', 'model'),
    harmless('model."version"', 'modelVersion'),
    ...['width', 'height', 'format', 'bytes', 'sha256'].map((fact) => `image.${fact} AS ${fact}`),
  ];
}

async function metaColumns(database: OutcomeDatabase, kind: PartKind): Promise<string[]> {
  const keys = await database.rows<{ key: string }>(`
    SELECT DISTINCT unnest(json_keys(meta)) AS key FROM ${kind} ORDER BY key LIMIT ${MAX_META_COLUMNS + 1}`);
  if (keys.length > MAX_META_COLUMNS) return [harmless(jsonWithNumbers('meta'), 'meta')];
  return keys.map(({ key }) => {
    const text = textWithNumbers(`json_extract_string(meta, ${literal(jsonPointer(key))})`);
    return harmless(text, `meta.${key}`);
  });
}

/** RFC 6901: JSONPath cannot express some keys. */
function jsonPointer(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A cell that a spreadsheet shows as text. NUL is escaped, because many readers stop at it. */
function harmless(text: string, name: string): string {
  const readable = `replace(${text}, chr(0), '\\u0000')`;
  const isDangerous = `regexp_matches(${text}, '${DANGEROUS_START}') AND NOT regexp_matches(${text}, '${NUMBER}')`;
  return `CASE WHEN ${isDangerous} THEN '''' || ${readable} ELSE ${readable} END AS ${identifier(name)}`;
}
