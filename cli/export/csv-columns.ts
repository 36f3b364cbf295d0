import type { JobRun } from '../../shared/contract/job-run.ts';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import { jsonWithNumbers, textWithNumbers } from './exact-numbers.ts';
import type { OutcomeDatabase } from './outcome-database.ts';
import { identifier, literal } from './sql.ts';

/** Up to so many different keys of `meta` become columns; with more, `meta` is one column of JSON. */
const MAX_META_COLUMNS = 50;

/**
 * What makes a spreadsheet take a cell for a formula when it starts with it, or take what follows for a cell of its own:
 * operators, their full-width forms (a Japanese Excel reads these), white space that is skipped, and delimiters.
 */
const DANGEROUS_START = '^[=+\\-@＝＋－＠\\t\\r\\n,;]';

/** A negative number is one. */
const NUMBER = '^-[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$';

/**
 * What is nested, made flat: `label1`, `score1`, `label2`, ... and `meta.<key>`. Text of strangers that a
 * spreadsheet would run as a formula gets a `'` in front (OWASP, "CSV Injection"); the other formats
 * have it as it is.
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
    // A header line begins with its first name: COPY has no other way to put a mark there.
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

/** RFC 6901: with a path of JSONPath, some keys could not be named. */
function jsonPointer(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A cell as a spreadsheet shows it, whatever the text starts with. Many readers end at a NUL, so it is escaped. */
function harmless(text: string, name: string): string {
  const readable = `replace(${text}, chr(0), '\\u0000')`;
  const isDangerous = `regexp_matches(${text}, '${DANGEROUS_START}') AND NOT regexp_matches(${text}, '${NUMBER}')`;
  return `CASE WHEN ${isDangerous} THEN '''' || ${readable} ELSE ${readable} END AS ${identifier(name)}`;
}
