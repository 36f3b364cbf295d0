import { type Embedding, encodeEmbedding } from '../shared/contract/embedding.ts';
import type { JobDescription } from '../shared/contract/job-description.ts';
import { type JobRun, runField } from '../shared/contract/job-run.ts';
import { jobKey, type PartKind, runPartPrefix } from '../shared/contract/object-keys.ts';

/** A job whose part files are computed when they are asked for, so that ten million cost nothing. */
export type LargeJob = JobRun & {
  /** Part files of each kind. */
  results: number;
  failures: number;
  linesPerPart: number;
  /** Images without an outcome: 0 for a job that is complete. */
  remaining: number;
  /** Whether there is a `job.json`. */
  isDescribed: boolean;
  /** With it, result lines have embeddings of this trunk. */
  trunk?: string;
};

/** Sorted keys of which any is computed from its place. */
export type KeySequence = {
  count: number;
  /** @param place 0 to count - 1 */
  keyAt(place: number): string;
  bytesAt(place: number): number;
  bodyAt(place: number): string;
  writtenAt(place: number): Date;
};

/** Digits of a digest that a number holds exactly; the others are the place. */
const SPREAD_DIGITS = 13;
const DIGITS = 32;
/** Far above the places of results, so that no sum of some parts is that of others. */
const FAILURES_FROM = 1n << 64n;
const STARTED_AT = Date.parse('2026-01-01T00:00:00Z');
const WRITTEN_DURING_SECONDS = 3_600;

/** All that the bucket has of a job, in the order of its keys. */
export function keysOf(job: LargeJob): KeySequence[] {
  const described = job.isDescribed ? [descriptionOf(job)] : [];
  return [partsOf('failures', job), ...described, partsOf('results', job)].filter(({ count }) => count > 0);
}

function partsOf(kind: PartKind, job: LargeJob): KeySequence {
  const count = job[kind];
  const prefix = runPartPrefix(kind, job);
  const codes = kind === 'failures' ? `.not_found-${job.linesPerPart}` : '';
  const bodyAt = (place: number) => linesAt(kind, job, place);
  return {
    count,
    keyAt(place) {
      const spread = Math.floor(((place + 0.5) / count) * 16 ** SPREAD_DIGITS);
      const digest = `${hex(spread, SPREAD_DIGITS)}${hex(place, DIGITS - SPREAD_DIGITS)}`;
      return `${prefix}${digest}-${hex(sumOf(kind, place), DIGITS)}-n${job.linesPerPart}${codes}.jsonl`;
    },
    bytesAt: () => (job.trunk === undefined ? 300 : 3_800) * job.linesPerPart,
    bodyAt,
    writtenAt: (place) => new Date(STARTED_AT + (place % WRITTEN_DURING_SECONDS) * 1_000),
  };
}

/** Not that of its lines: nothing reads a part to check it. */
function sumOf(kind: PartKind, place: number): bigint {
  return BigInt(place + 1) + (kind === 'failures' ? FAILURES_FROM : 0n);
}

function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function linesAt(kind: PartKind, { job, run, linesPerPart, trunk }: LargeJob, place: number): string {
  let lines = '';
  for (let line = 0; line < linesPerPart; line++) {
    const id = `${kind}-${place}-${line}`;
    const image = { v: 1, job, ...runField(run), id, url: `https://host.example/${id}.jpg` };
    const features = trunk === undefined || kind === 'failures' ? {} : embeddingAt(trunk, place * linesPerPart + line);
    const outcome = { ...OUTCOMES[kind], ...features };
    lines += `${JSON.stringify({ ...image, ...outcome, attempt: 1, at: '2026-01-01T00:00:01.000Z' })}\n`;
  }
  return lines;
}

/** Different embeddings; images share them. */
const EMBEDDINGS = 256;
const made: string[] = [];

function embeddingAt(trunk: string, image: number): Embedding {
  const which = image % EMBEDDINGS;
  made[which] ??= encodeEmbedding(featuresAt(which));
  return { embedding: made[which], trunk };
}

/** From 0 to 2, as most of those of the default model. */
function featuresAt(which: number): Float32Array {
  return Float32Array.from({ length: 1_280 }, (_, at) => 1 + Math.sin((which + 1) * (at + 1)));
}

const OUTCOMES = {
  results: {
    labels: [{ label: 'cat', score: 0.9, classId: 281 }],
    model: { name: 'stub', version: '1' },
    image: { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' },
  },
  failures: { error: { code: 'not_found', stage: 'fetch', message: 'expected status 200, got 404', retryable: false } },
};

function descriptionOf(job: LargeJob): KeySequence {
  const body = JSON.stringify(description(job));
  return {
    count: 1,
    keyAt: () => jobKey(job.job),
    bytesAt: () => body.length,
    bodyAt: () => body,
    writtenAt: () => new Date(STARTED_AT),
  };
}

function description({ job, run, results, failures, linesPerPart, remaining }: LargeJob): JobDescription {
  const images = (results + failures) * linesPerPart + remaining;
  const at = new Date(STARTED_AT).toISOString();
  const sum = placesSum(results) + placesSum(failures) + BigInt(failures) * FAILURES_FROM;
  return {
    ...{ v: 1, job, ...runField(run), state: 'enqueued', source: '-', sourceDigest: '', perMessage: linesPerPart },
    ...{ images, sent: images, idSum: hex(sum, DIGITS), messages: Math.ceil(images / linesPerPart) },
    ...{ startedAt: at, updatedAt: at },
  };
}

/** 1 + 2 + … + count. */
function placesSum(count: number): bigint {
  return (BigInt(count) * BigInt(count + 1)) / 2n;
}
