import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import { OutcomeFileError, OutOfSpaceError } from '../../shared/jobs/outcome-errors.ts';
import { registerEmbeddingFloats } from './embedding-floats.ts';
import { identifier, literal } from './sql.ts';

/** DuckDB's memory limit; the rest goes to disk. With Node and buffers, less than 1 GB in total. */
const MEMORY_LIMIT = '500MB';
/** With embeddings, whose part files and results are five times as large. */
const MEMORY_LIMIT_WITH_EMBEDDINGS = '200MB';
/** Each thread has buffers of its own. */
const MAX_THREADS = 4;
/** A line carries `meta` of at most a message, 1 MiB, and at most 1,000 labels. */
const MAX_LINE_BYTES = 4 * 1_048_576;

/** Result lines only, 3.4 kB per image: only loaded when embeddings are exported. */
const EMBEDDING_COLUMNS: Record<string, string> = { embedding: 'VARCHAR', trunk: 'VARCHAR' };

/** Columns have fixed types, so the content of a part file does not change them. */
const LINE_COLUMNS: Record<PartKind, Record<string, string>> = {
  results: {
    id: 'VARCHAR',
    url: 'VARCHAR',
    meta: 'JSON',
    labels: 'STRUCT("label" VARCHAR, score DOUBLE, "classId" INTEGER)[]',
    model: 'STRUCT("name" VARCHAR, "version" VARCHAR)',
    image: 'STRUCT(width INTEGER, height INTEGER, format VARCHAR, bytes BIGINT, sha256 VARCHAR)',
    attempt: 'INTEGER',
    at: 'TIMESTAMP',
  },
  failures: {
    id: 'VARCHAR',
    url: 'VARCHAR',
    meta: 'JSON',
    error: 'STRUCT(code VARCHAR, stage VARCHAR, message VARCHAR, retryable BOOLEAN)',
    attempt: 'INTEGER',
    at: 'TIMESTAMP',
  },
};

/**
 * The outcomes of one job in a DuckDB file: the tables `results` and `failures` with the columns of their lines, and
 * `id_hash`. Jobs of ten million images fit, since DuckDB spills to disk.
 */
export class OutcomeDatabase implements AsyncDisposable {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #columns: Record<PartKind, Record<string, string>>;
  /** Whether the table `results` has the columns `embedding` and `trunk`. */
  readonly keepsEmbeddings: boolean;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, keepsEmbeddings: boolean) {
    this.#instance = instance;
    this.#connection = connection;
    this.keepsEmbeddings = keepsEmbeddings;
    const results = { ...LINE_COLUMNS.results, ...(keepsEmbeddings && EMBEDDING_COLUMNS) };
    this.#columns = { ...LINE_COLUMNS, results };
  }

  /**
   * @param folder for the database and its temporary files; the caller removes it
   * @param keepsEmbeddings they take five times as much disk as everything else
   */
  static async create(folder: string, keepsEmbeddings = false): Promise<OutcomeDatabase> {
    const opening = DuckDBInstance.create(join(folder, 'outcomes.duckdb'), {
      memory_limit: keepsEmbeddings ? MEMORY_LIMIT_WITH_EMBEDDINGS : MEMORY_LIMIT,
      temp_directory: join(folder, 'spilled'),
      threads: String(Math.min(MAX_THREADS, availableParallelism())),
      // Keeping an order costs memory, and part files have none; queries use ORDER BY.
      preserve_insertion_order: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const instance = await withSpace(opening);
    const connection = await instance.connect();
    registerEmbeddingFloats(connection);
    const database = new OutcomeDatabase(instance, connection, keepsEmbeddings);
    await database.run("SET TimeZone = 'UTC'");
    for (const kind of ['results', 'failures'] as const) {
      const columns = Object.entries(database.#columns[kind]).map(([name, type]) => `${identifier(name)} ${type}`);
      await database.run(`CREATE TABLE ${kind} (id_hash UBIGINT, ${columns.join(', ')})`);
    }
    return database;
  }

  /** Adds the lines of part files, duplicates included. */
  async load(kind: PartKind, files: readonly string[]): Promise<void> {
    if (files.length === 0) return;
    const names = Object.keys(this.#columns[kind]).map(identifier).join(', ');
    const types = Object.entries(this.#columns[kind]).map(([name, type]) => `${identifier(name)}: ${literal(type)}`);
    await this.run(`
      INSERT INTO ${kind} (id_hash, ${names}) SELECT hash(id), ${names}
      FROM read_json([${files.map(literal).join(', ')}], format = 'newline_delimited', compression = 'uncompressed',
        maximum_object_size = ${MAX_LINE_BYTES}, columns = {${types.join(', ')}})`);
  }

  /**
   * Keeps one line per image: a result rather than a failure, and the latest of several.
   *
   * @returns number of removed lines
   */
  async deduplicate(): Promise<number> {
    const repeated = [await this.#keepLatest('results'), await this.#keepLatest('failures')];
    const resolved = await this.run(`
      DELETE FROM failures WHERE rowid IN
        (SELECT failures.rowid FROM failures JOIN results USING (id_hash, id))`);
    return repeated.reduce((sum, rows) => sum + rows, resolved);
  }

  /** In two steps: few images are usually repeated, and only their ids are compared. */
  #keepLatest(kind: PartKind): Promise<number> {
    return this.run(`
      DELETE FROM ${kind} WHERE rowid IN (
        SELECT rowid FROM ${kind}
        WHERE id_hash IN (SELECT id_hash FROM ${kind} GROUP BY id_hash HAVING count(*) > 1)
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY "at" DESC, attempt DESC, rowid) > 1)`);
  }

  /** @returns number of rows that changed or that a COPY wrote */
  async run(sql: string): Promise<number> {
    const { rowsChanged } = await withSpace(this.#connection.run(sql));
    return rowsChanged;
  }

  /** All rows of a query, for queries with few of them. Numbers that JSON has no type for are returned as text. */
  async rows<Row>(sql: string, parameters: Record<string, DuckDBValue> = {}): Promise<Row[]> {
    const reader = await withSpace(this.#connection.runAndReadAll(sql, parameters));
    return reader.getRowObjectsJson() as Row[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

/** DuckDB's errors have no codes, so their texts are all there is. */
const FILE_ERROR = /^IO Error: [^"]*"(?<path>.*)": (?<reason>.*)$/s;

/** Converts DuckDB's errors of files and of a full disk. */
async function withSpace<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { path, reason } = FILE_ERROR.exec(error.message)?.groups ?? {};
    if (path !== undefined && reason !== undefined) throw new OutcomeFileError(path, reason, { cause: error });
    if (!/no space left|max_temp_directory_size/i.test(error.message)) throw error;
    throw new OutOfSpaceError('no space left for temporary files: set TMPDIR to a folder on a larger disk', {
      cause: error,
    });
  }
}
