import type { OutcomeDatabase } from '../export/outcome-database.ts';

/** Outcomes per time bucket of a job, empty buckets included. */
export type Timeline = { bucketSeconds: number; buckets: { at: string; classified: number; failed: number }[] };

/** An image that a report may show. */
export type SampleImage = { id: string; url: string; score: number };

const MAX_BUCKETS = 60;
/** Copies of one image that are skipped per label; with more, fewer sample images remain. */
const MAX_COPIES = 20;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Round bucket sizes. */
const BUCKET_SIZES = [
  ...[1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE],
  ...[HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY],
];

export async function timelineOf(database: OutcomeDatabase): Promise<Timeline> {
  const outcomes = 'SELECT "at", true AS done FROM results UNION ALL SELECT "at", false AS done FROM failures';
  const [range] = await database.rows<{ first: number | null; last: number | null }>(`
    SELECT epoch(min("at")) AS "first", epoch(max("at")) AS "last" FROM (${outcomes})`);
  if (range === undefined || range.first === null || range.last === null) return { bucketSeconds: 1, buckets: [] };
  const seconds = range.last - range.first;
  const bucketSeconds =
    BUCKET_SIZES.find((one) => seconds / one < MAX_BUCKETS - 1) ?? Math.ceil(seconds / (MAX_BUCKETS - 1));
  const rows = await database.rows<{ n: number; classified: number; failed: number }>(`
    SELECT floor(epoch("at") / ${bucketSeconds})::DOUBLE AS n,
      count(*) FILTER (done)::DOUBLE AS classified, count(*) FILTER (NOT done)::DOUBLE AS failed
    FROM (${outcomes}) GROUP BY ALL`);
  const byNumber = new Map(rows.map((row) => [row.n, row]));
  const start = Math.floor(range.first / bucketSeconds);
  const buckets = Array.from({ length: Math.floor(range.last / bucketSeconds) - start + 1 }, (_, index) => {
    const { classified = 0, failed = 0 } = byNumber.get(start + index) ?? {};
    return { at: new Date((start + index) * bucketSeconds * 1_000).toISOString(), classified, failed };
  });
  return { bucketSeconds, buckets };
}

/**
 * The images with the highest scores of each label; one of several copies.
 *
 * @param perLabel maximum per label, best first
 */
export async function sampleImages(
  database: OutcomeDatabase,
  labels: readonly string[],
  perLabel: number,
): Promise<Map<string, SampleImage[]>> {
  const samples = new Map<string, SampleImage[]>();
  for (const label of labels) {
    const images = await database.rows<SampleImage>(
      `SELECT id, url, score FROM (
         SELECT id, url, labels[1].score AS score, image.sha256 AS sha256 FROM results
         WHERE labels[1]."label" = $label ORDER BY score DESC, id LIMIT ${perLabel * MAX_COPIES})
       QUALIFY row_number() OVER (PARTITION BY sha256 ORDER BY score DESC, id) = 1
       ORDER BY score DESC, id LIMIT ${perLabel}`,
      { label },
    );
    samples.set(label, images);
  }
  return samples;
}
