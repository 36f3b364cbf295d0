import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { JobRun } from '../../shared/contract/job-run.ts';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import type { Format } from '../../shared/jobs/export-formats.ts';
import { csvColumns } from './csv-columns.ts';
import { EMBEDDING_FLOATS } from './embedding-floats.ts';
import { jsonWithNumbers } from './exact-numbers.ts';
import type { OutcomeDatabase } from './outcome-database.ts';
import { literal } from './sql.ts';

/**
 * An output file, which is overwritten. Parquet has its own compression, so `gzip` is for the other formats. A CSV with
 * a byte order mark is read as UTF-8 by Excel too; pandas and DuckDB skip it.
 */
export type ExportFile = { path: string; format: Format; gzip: boolean; byteOrderMark?: boolean };

export type Selection = {
  kind: PartKind;
  /** Of results: images with a label of at least this score, ... */
  minScore?: number;
  /**
   * ... and of this pattern (`*` any text, `?` any character, ignoring case); both conditions hold for the same label.
   */
  label?: string;
  /** Of failures: those with one of these codes. */
  codes?: readonly ErrorCode[];
  /** In the order of the table `source_order`, images that are not in it last. */
  inOrder?: boolean;
};

/**
 * Writes the selected outcomes to a file.
 *
 * @returns how many images are in it
 */
export async function exportOutcomes(
  database: OutcomeDatabase,
  of: JobRun,
  selection: Selection,
  { path, format, gzip, byteOrderMark = false }: ExportFile,
): Promise<number> {
  const { from, order } = sourceOf(selection);
  const columns = await COLUMNS[format](database, of, selection.kind, byteOrderMark);
  const embeddings = selection.kind === 'results' && format === 'parquet' && (await hasEmbeddings(database));
  if (embeddings) columns.push(`${EMBEDDING_FLOATS}(embedding) AS embedding`, 'trunk');
  const select = `SELECT ${columns.join(', ')} FROM ${from} ${order}`;
  // When sorting, each thread uses memory that DuckDB does not account for; one thread is as fast and stays within the
  // limit. The same holds for embeddings.
  if (selection.inOrder || embeddings) await database.run('SET threads = 1');
  return database.run(
    `COPY (${select}) TO ${literal(path)} (${copyOptions(format, embeddings)}${gzip ? ', COMPRESSION gzip' : ''})`,
  );
}

function sourceOf({ kind, minScore, label, codes, inOrder }: Selection): { from: string; order: string } {
  const ofLabel = [
    ...(minScore === undefined ? [] : [`l.score >= ${minScore}`]),
    ...(label === undefined ? [] : [`lower(l."label") GLOB ${literal(globOf(label))}`]),
  ];
  const conditions = [
    ...(ofLabel.length === 0 ? [] : [`len(list_filter(labels, lambda l: ${ofLabel.join(' AND ')})) > 0`]),
    ...(codes === undefined ? [] : [`error.code IN (${codes.map(literal).join(', ')})`]),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return inOrder
    ? { from: `${kind} LEFT JOIN source_order USING (id_hash) ${where}`, order: 'ORDER BY n NULLS LAST, id' }
    : { from: `${kind} ${where}`, order: '' };
}

/** Brackets are literal: labels may contain them. */
function globOf(pattern: string): string {
  return pattern.toLowerCase().replaceAll(/[[\]\\]/g, '[$&]');
}

/** Whether any line has an embedding; without one, the file has no such columns. */
async function hasEmbeddings(database: OutcomeDatabase): Promise<boolean> {
  if (!database.keepsEmbeddings) return false;
  return (await database.rows('SELECT 1 FROM results WHERE embedding IS NOT NULL LIMIT 1')).length > 0;
}

/** Smaller groups of rows than by default: each thread holds one in memory, and an embedding takes 5 kB there. */
function copyOptions(format: Format, embeddings: boolean): string {
  return `${COPY_OPTIONS[format]}${format === 'parquet' ? `, ROW_GROUP_SIZE ${embeddings ? 2_048 : 50_000}` : ''}`;
}

const COPY_OPTIONS: Record<Format, string> = {
  // A line of JSON has no control characters, so as the only column and without quotes it is copied unchanged.
  jsonl: "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01'",
  csv: 'FORMAT csv, HEADER true',
  parquet: 'FORMAT parquet, COMPRESSION zstd',
};

type Columns = (database: OutcomeDatabase, of: JobRun, kind: PartKind, byteOrderMark: boolean) => Promise<string[]>;

const COLUMNS: Record<Format, Columns> = {
  jsonl: async ({ keepsEmbeddings }, of, kind) => [jsonLine(of, kind, keepsEmbeddings)],
  csv: csvColumns,
  parquet: async (_database, _of, kind) => [
    ...['id', 'url', `${jsonWithNumbers('meta')} AS meta`],
    ...(kind === 'results' ? ['labels', 'model', 'image'] : ['error']),
    ...['attempt', '"at"::TIMESTAMPTZ AS "at"'],
  ],
};

/** The line as the worker wrote it: see `result-line.ts`. */
function jsonLine({ job, run }: JobRun, kind: PartKind, keepsEmbeddings: boolean): string {
  const field = (name: string) => `',"${name}":', to_json("${name}")`;
  // concat() skips NULL.
  const optionalField = (name: string) => `',"${name}":' || to_json("${name}")`;
  const outcome = kind === 'results' ? ['labels', 'model', 'image'] : ['error'];
  return `concat(${[
    literal(`{"v":1,"job":${JSON.stringify(job)},${run === undefined ? '' : `"run":"${run}",`}"id":`),
    'to_json(id)',
    field('url'),
    `',"meta":' || ${jsonWithNumbers('meta')}`,
    ...outcome.map(field),
    ...(kind === 'results' && keepsEmbeddings ? ['embedding', 'trunk'].map(optionalField) : []),
    field('attempt'),
    `',"at":"'`,
    `strftime("at", '%Y-%m-%dT%H:%M:%S.%gZ')`,
    `'"}'`,
  ].join(', ')})`;
}
