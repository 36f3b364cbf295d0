import type { JobDescription } from '../../shared/contract/job-description.ts';
import { runField } from '../../shared/contract/job-run.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { type Cost, costSoFar } from '../../shared/cost.ts';
import type { ComputingTime, MeasuredTime } from '../../shared/jobs/measured-time.ts';
import type { OutcomeDatabase } from './outcome-database.ts';

/**
 * Same words as in `status` where possible. `unknown`: not enqueued with the command, so the number of images is
 * unknown.
 */
export type Completeness = 'completed' | 'completed with failures' | 'incomplete' | 'cancelled' | 'unknown';

/** The content of `<job>.summary.json`. Times are ISO 8601, UTC; counts are of images unless they say otherwise. */
export type Summary = {
  v: 1;
  job: string;
  /** Missing for a job without runs. */
  run?: string;
  state: Completeness;
  source?: string;
  createdAt: string;
  labelqueue: string;
  images: { enqueued?: number; classified: number; failed: number; remaining?: number };
  /** Lines that were left out: of an image that has a later one, or a result after its failure. */
  repeatedLines: number;
  /** By best label, most frequent first. */
  labels: { label: string; images: number; meanScore: number }[];
  /** Of the best label's score; from inclusive, to exclusive but for 1. */
  scoreHistogram: { from: number; to: number; images: number }[];
  errorCodes: Record<string, number>;
  /** Outcomes by the attempt that settled them. */
  attempts: Record<string, number>;
  /** The hosts (of s3:// URLs, the buckets) with the most images, and the sum of all others. */
  hosts: { host: string; classified: number; failed: number }[];
  otherHosts: { hosts: number; classified: number; failed: number };
  bytes: { total: number; mean: number; largest: number };
  durations: {
    startedAt?: string;
    firstOutcomeAt?: string;
    lastOutcomeAt?: string;
    seconds: number;
    imagesPerSecond: number;
  };
  models: { name: string; version: string; images: number }[];
  /** At list prices: of the time that its workers measured, with requests and logs for each image once. */
  cost: Cost;
  /** That time. */
  computing: ComputingTime;
};

export type SummaryInput = {
  job: string;
  description: JobDescription | undefined;
  cancelled: boolean;
  repeatedLines: number;
  /** The time that its part files record. */
  time: MeasuredTime;
  /** The version of labelqueue. */
  version: string;
  now: Date;
};

const BINS = 20;
const MAX_HOSTS = 100;

export async function summarize(database: OutcomeDatabase, of: SummaryInput): Promise<Summary> {
  const { job, description, repeatedLines, time, version, now } = of;
  const [images] = await database.rows<{ classified: number; failed: number }>(`
    SELECT (SELECT count(*) FROM results)::DOUBLE AS classified, (SELECT count(*) FROM failures)::DOUBLE AS failed`);
  const { classified = 0, failed = 0 } = images ?? {};
  const enqueued = description && { enqueued: description.images };
  const remaining = description && { remaining: Math.max(0, description.images - classified - failed) };
  return {
    v: 1,
    job,
    ...runField(description?.run),
    state: completeness(of, { classified, failed }),
    ...(description && { source: description.source }),
    createdAt: now.toISOString(),
    labelqueue: version,
    images: { ...enqueued, classified, failed, ...remaining },
    repeatedLines,
    labels: await labelsByNumber(database),
    scoreHistogram: await scoreHistogram(database),
    errorCodes: await counts(database, 'SELECT error.code AS name, count(*) AS n FROM failures GROUP BY ALL'),
    attempts: await counts(database, `SELECT attempt AS name, count(*) AS n FROM (${OUTCOMES}) GROUP BY ALL`),
    ...(await hostsByNumber(database)),
    bytes: await bytesOf(database),
    durations: await durationsOf(database, description),
    models: await database.rows(`
      SELECT model."name" AS "name", model."version" AS "version", count(*)::DOUBLE AS images
      FROM results GROUP BY ALL ORDER BY images DESC, 1, 2`),
    cost: costSoFar(classified + failed, description?.perMessage ?? DEFAULT_IMAGES_PER_MESSAGE, time.cost()),
    computing: time.computing,
  };
}

const OUTCOMES = `
  SELECT url, attempt, "at", true AS done FROM results
  UNION ALL SELECT url, attempt, "at", false AS done FROM failures`;

/** `Summary.state` of a job with these outcomes. */
export function completeness(
  { description, cancelled }: Pick<SummaryInput, 'description' | 'cancelled'>,
  { classified, failed }: Record<'classified' | 'failed', number>,
): Completeness {
  if (cancelled) return 'cancelled';
  if (description === undefined) return 'unknown';
  if (description.state !== 'enqueued' || classified + failed < description.images) return 'incomplete';
  return failed > 0 ? 'completed with failures' : 'completed';
}

function labelsByNumber(database: OutcomeDatabase): Promise<Summary['labels']> {
  return database.rows(`
    SELECT labels[1]."label" AS "label", count(*)::DOUBLE AS images, round(avg(labels[1].score), 4) AS "meanScore"
    FROM results WHERE len(labels) > 0 GROUP BY ALL ORDER BY images DESC, "label"`);
}

async function scoreHistogram(database: OutcomeDatabase): Promise<Summary['scoreHistogram']> {
  const filled = await database.rows<{ bin: number; images: number }>(`
    SELECT least(${BINS - 1}, floor(labels[1].score * ${BINS}))::INTEGER AS bin, count(*)::DOUBLE AS images
    FROM results WHERE len(labels) > 0 GROUP BY ALL`);
  const byBin = new Map(filled.map(({ bin, images }) => [bin, images]));
  return Array.from({ length: BINS }, (_, bin) => ({
    from: bin / BINS,
    to: (bin + 1) / BINS,
    images: byBin.get(bin) ?? 0,
  }));
}

async function counts(database: OutcomeDatabase, sql: string): Promise<Record<string, number>> {
  const rows = await database.rows<{ name: string; n: number }>(`
    SELECT name::VARCHAR AS "name", n::DOUBLE AS n FROM (${sql}) ORDER BY n DESC, "name"`);
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

async function hostsByNumber(database: OutcomeDatabase): Promise<Pick<Summary, 'hosts' | 'otherHosts'>> {
  // Without user name and password: summaries are shared.
  await database.run(`
    CREATE OR REPLACE TABLE hosts AS SELECT
      coalesce(nullif(regexp_extract(lower(url), '^[a-z0-9+.-]+://(?:[^/?#]*@)?([^/?#]*)', 1), ''), '-') AS host,
      count(*) FILTER (done)::DOUBLE AS classified, count(*) FILTER (NOT done)::DOUBLE AS failed
    FROM (${OUTCOMES}) GROUP BY ALL`);
  const ordered = 'FROM hosts ORDER BY classified + failed DESC, host';
  const rows = await database.rows<Summary['hosts'][number]>(`SELECT * ${ordered} LIMIT ${MAX_HOSTS}`);
  const [others] = await database.rows<Summary['otherHosts']>(`
    SELECT count(*)::DOUBLE AS hosts, coalesce(sum(classified), 0) AS classified, coalesce(sum(failed), 0) AS failed
    FROM (SELECT * ${ordered} OFFSET ${MAX_HOSTS})`);
  return { hosts: rows, otherHosts: others ?? { hosts: 0, classified: 0, failed: 0 } };
}

async function bytesOf(database: OutcomeDatabase): Promise<Summary['bytes']> {
  const [row] = await database.rows<Summary['bytes']>(`
    SELECT coalesce(sum(image.bytes), 0)::DOUBLE AS total, coalesce(round(avg(image.bytes)), 0) AS mean,
      coalesce(max(image.bytes), 0)::DOUBLE AS largest FROM results`);
  return row ?? { total: 0, mean: 0, largest: 0 };
}

async function durationsOf(
  database: OutcomeDatabase,
  description: JobDescription | undefined,
): Promise<Summary['durations']> {
  const [row] = await database.rows<{ first: number | null; last: number | null; outcomes: number }>(`
    SELECT epoch_ms(min("at"))::DOUBLE AS "first", epoch_ms(max("at"))::DOUBLE AS "last", count(*)::DOUBLE AS outcomes
    FROM (${OUTCOMES})`);
  const started = description && { startedAt: description.startedAt };
  const { first, last, outcomes } = row ?? { first: null, last: null, outcomes: 0 };
  if (first === null || last === null) return { ...started, seconds: 0, imagesPerSecond: 0 };
  const from = description === undefined ? first : Math.min(first, Date.parse(description.startedAt));
  const seconds = (last - from) / 1_000;
  return {
    ...started,
    firstOutcomeAt: new Date(first).toISOString(),
    lastOutcomeAt: new Date(last).toISOString(),
    seconds,
    imagesPerSecond: seconds === 0 ? 0 : Math.round((outcomes / seconds) * 10) / 10,
  };
}
