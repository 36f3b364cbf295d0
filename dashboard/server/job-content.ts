import { NoSuchKey } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { CountedPart } from '../../shared/jobs/part-walk.ts';
import { partLines } from '../../shared/jobs/read-outcomes.ts';
import type { JobContent, JobHost } from '../contract/jobs.ts';
import { displayHost, displayText } from './display-text.ts';

/**
 * Lines to read of a job, which takes some seconds and megabytes. Digests are random, so the first files are a fair
 * sample.
 */
const MAX_LINES = 20_000;
const MAX_FILES = 400;
const READS_AT_ONCE = 16;
const MAX_LABELS = 200;
const MAX_HOSTS = 50;
const MAX_LABELS_PER_IMAGE = 5;

/** The parts of a line that the page shows. */
export type ReadImage = {
  id: string;
  url: string;
  host: string;
  attempt: number;
  at: number;
  /** Best first; empty for a failure. */
  labels: { label: string; score: number }[];
  /** Images with the same hash are copies. */
  sha256: string;
  model: string;
  /** Undefined for a result. */
  code: string | undefined;
};

export type ReadJob = { images: ReadImage[]; isSample: boolean };

/** Reads the lines of a job, or of a random sample of its files. Each image once: a result before a failure. */
export async function readJobLines(target: JobTarget, counted: readonly CountedPart[]): Promise<ReadJob> {
  const chosen = chooseParts(counted);
  const read = await pMap(chosen, ({ kind, part }) => readPart(target, kind, part.key), { concurrency: READS_AT_ONCE });
  const byId = new Map<string, ReadImage>();
  for (const image of read.flat()) {
    const other = byId.get(image.id);
    if (other === undefined || isBetter(image, other)) byId.set(image.id, image);
  }
  return { images: [...byId.values()], isSample: chosen.length < counted.length };
}

function isBetter(one: ReadImage, other: ReadImage): boolean {
  const [isResult, otherIsResult] = [one.code === undefined, other.code === undefined];
  return isResult === otherIsResult ? one.at >= other.at : isResult;
}

/** In order of digest. */
function chooseParts(counted: readonly CountedPart[]): CountedPart[] {
  const inOrder = counted.toSorted((one, other) => (one.part.digest < other.part.digest ? -1 : 1));
  let lines = 0;
  return inOrder.filter(({ part }, index) => {
    if (index >= MAX_FILES || lines >= MAX_LINES) return false;
    lines += part.lines;
    return true;
  });
}

/** Empty when the file was removed after the listing: a redrive removes failures. */
async function readPart(target: JobTarget, kind: PartKind, key: string): Promise<ReadImage[]> {
  try {
    const lines = partLines<ResultLine | FailureLine>(target, key);
    return await Array.fromAsync(lines, (line) => toRead(kind, line));
  } catch (error) {
    if (error instanceof NoSuchKey) return [];
    throw error;
  }
}

function toRead(kind: PartKind, line: ResultLine | FailureLine): ReadImage {
  const { id, url, attempt, at } = line;
  const result = kind === 'results' && 'labels' in line ? line : undefined;
  const labels = result?.labels.slice(0, MAX_LABELS_PER_IMAGE) ?? [];
  return {
    id,
    url,
    host: displayHost(url),
    attempt,
    at: Date.parse(at),
    labels: labels.map(({ label, score }) => ({ label: displayText(label), score })),
    sha256: result?.image.sha256 ?? '',
    model: result === undefined ? '' : `${result.model.name}\n${result.model.version}`,
    code: 'error' in line ? line.error.code : undefined,
  };
}

/** @param startedAt of the job; null if unknown */
export function contentOf({ images, isSample }: ReadJob, startedAt: number | null): JobContent {
  const results = images.filter(({ code }) => code === undefined);
  const labels = Array.from(
    Map.groupBy(results, ({ labels: [best] }) => best?.label ?? '-'),
    ([label, some]) => ({
      label,
      images: some.length,
      meanScore: rounded(mean(some.map(({ labels: [best] }) => best?.score ?? 0))),
    }),
  ).sort((one, other) => other.images - one.images);
  const hosts = Array.from(
    Map.groupBy(images, ({ host }) => host),
    ([host, some]) => hostOf(host, some, startedAt),
  ).sort(slowestFirst);
  return {
    readImages: images.length,
    isSample,
    labels: labels.slice(0, MAX_LABELS),
    moreLabels: Math.max(0, labels.length - MAX_LABELS),
    hosts: hosts.slice(0, MAX_HOSTS),
    moreHosts: Math.max(0, hosts.length - MAX_HOSTS),
    models: Array.from(
      Map.groupBy(results, ({ model }) => model),
      ([model, some]) => {
        const [name = '', version = ''] = model.split('\n').map((text) => displayText(text));
        return { name, version, images: some.length };
      },
    ),
  };
}

const SILENT = new Set(['timeout', 'connection_failed']);

function hostOf(host: string, images: readonly ReadImage[], startedAt: number | null): JobHost {
  const failed = images.filter(({ code }) => code !== undefined);
  return {
    host,
    classifiedImages: images.length - failed.length,
    failedImages: failed.length,
    silentImages: failed.filter(({ code = '' }) => SILENT.has(code)).length,
    meanAttempts: mean(images.map(({ attempt }) => attempt)),
    medianSecondsToOutcome:
      startedAt === null ? null : median(images.map(({ at }) => Math.max(0, at - startedAt) / 1_000)),
  };
}

function slowestFirst(one: JobHost, other: JobHost): number {
  return (
    other.meanAttempts - one.meanAttempts ||
    other.failedImages - one.failedImages ||
    (other.medianSecondsToOutcome ?? 0) - (one.medianSecondsToOutcome ?? 0)
  );
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Rounded to four decimals, as in the summary of a job. */
function rounded(score: number): number {
  return Math.round(score * 10_000) / 10_000;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Images of a label, or of all labels, highest score first; one of several copies. */
export function mostConfident({ images }: ReadJob, label: string | undefined, most: number): ReadImage[] {
  const fitting = images.filter(
    ({ labels: [best] }) => best !== undefined && (label === undefined || best.label === label),
  );
  fitting.sort(
    (one, other) => (other.labels[0]?.score ?? 0) - (one.labels[0]?.score ?? 0) || (one.id < other.id ? -1 : 1),
  );
  const seen = new Set<string>();
  return fitting
    .filter(({ sha256 }) => {
      const isNew = !seen.has(sha256);
      seen.add(sha256);
      return isNew || sha256 === '';
    })
    .slice(0, most);
}
