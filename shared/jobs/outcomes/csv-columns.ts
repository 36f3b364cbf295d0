import type { PartKind } from '../../contract/object-keys.ts';
import type { OutcomeDatabase } from './outcome-database.ts';
import { identifier, literal } from './sql.ts';

/** Up to so many different keys of `meta` become columns; with more, `meta` is one column of JSON. */
const MAX_META_COLUMNS = 50;

/**
 * What is nested, made flat: `label1`, `score1`, `label2`, ... and `meta.<key>`. Text of strangers that a
 * spreadsheet would run as a formula gets a `'` in front (OWASP, "CSV Injection"); the other formats
 * have it as it is.
 */
export async function csvColumns(database: OutcomeDatabase, _job: string, kind: PartKind): Promise<string[]> {
  const outcome = kind === 'results' ? await resultColumns(database) : FAILURE_COLUMNS;
  const at = `strftime("at", '%Y-%m-%dT%H:%M:%S.%gZ') AS "at"`;
  return [
    harmless('id', 'id'),
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
  if (keys.length > MAX_META_COLUMNS) return ['meta::VARCHAR AS meta'];
  return keys.map(({ key }) => harmless(`json_extract_string(meta, ${literal(jsonPointer(key))})`, `meta.${key}`));
}

/** RFC 6901: with a path of JSONPath, some keys could not be named. */
function jsonPointer(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A cell as a spreadsheet shows it, whatever the text starts with. */
function harmless(text: string, name: string): string {
  return `CASE WHEN regexp_matches(${text}, '^[=+\\-@\\t\\r]') THEN '''' || ${text} ELSE ${text} END AS ${identifier(name)}`;
}
