import { runName } from '../../shared/contract/job-run.ts';
import { cancellations } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { Gallery, JobContent, JobDetail } from '../contract/jobs.ts';
import { ApiFailure } from './api-failure.ts';
import { displayText } from './display-text.ts';
import { jobSeries } from './history.ts';
import type { JobBook } from './job-book.ts';
import { contentOf, mostConfident, type ReadJob, readJobLines } from './job-content.ts';
import { isServiceAway } from './service-away.ts';
import type { Thumbnails } from './thumbnails.ts';
import { WatchedJob } from './watched-job.ts';

/** Jobs whose lines are kept: about ten megabytes each. */
const MAX_READ_JOBS = 3;
/** How often the lines of a running job are read. */
const READ_EVERY_MS = 15_000;
const LINKS = ['csv', 'jsonl', 'parquet'] as const;

type Reading = { version: string; readAt: number; lines: ReadJob | undefined; isReading: Promise<ReadJob> | undefined };

export type JobPagesOptions = {
  target: JobTarget;
  book: JobBook;
  thumbnails: Thumbnails;
  /** Called when the lines of a job were read. */
  onRead: () => void;
  /** Called with unexpected errors. */
  onUnexpectedError: (error: unknown) => void;
};

/** The data of a job's page. */
export class JobPages {
  readonly #target: JobTarget;
  readonly #book: JobBook;
  readonly #thumbnails: Thumbnails;
  /** By run, least recently used first. */
  readonly #readings = new Map<string, Reading>();
  readonly #onRead: () => void;
  readonly #onFailure: (error: unknown) => void;

  constructor({ target, book, thumbnails, onRead, onUnexpectedError }: JobPagesOptions) {
    this.#target = target;
    this.#book = book;
    this.#thumbnails = thumbnails;
    this.#onRead = onRead;
    // An unreachable S3 is reported elsewhere; the next poll reads again.
    this.#onFailure = (error) => void (isServiceAway(error) || onUnexpectedError(error));
  }

  /** The current details; reads the lines in the background. Undefined for an unknown job. */
  detail(job: string): JobDetail | undefined {
    const watched = this.#book.get(job);
    return watched?.row === undefined ? undefined : this.#detailOf(watched);
  }

  /**
   * Like `detail`, for a job that may not have been polled yet.
   *
   * @throws {ApiFailure} no-such-job
   */
  async lookedUp(job: string): Promise<WatchedJob> {
    const known = this.#book.get(job);
    if (known?.row !== undefined) return known;
    const watched = new WatchedJob(this.#target, job);
    const queue = Promise.resolve({ waiting: 0, inFlight: 0, retrying: 0, deadLetters: 0 });
    await watched.look({ queue, cancelled: await cancellations(this.#target), now: new Date() });
    if (watched.row === undefined)
      throw new ApiFailure('no-such-job', `no job ${job}: the overview lists those there are`);
    return watched;
  }

  async detailOf(job: string): Promise<JobDetail> {
    const watched = await this.lookedUp(job);
    const detail = this.#detailOf(watched);
    if (detail === undefined) throw new ApiFailure('no-such-job', `no job ${job}`);
    return detail;
  }

  async gallery(job: string, label: string | undefined, limit: number): Promise<Gallery> {
    const watched = await this.lookedUp(job);
    const lines = await this.#lines(watched);
    const images = mostConfident(lines, label, limit).map(({ id, url, host, labels }) => ({
      id: displayText(id),
      url: displayText(url),
      host,
      labels,
      thumbnail: this.#thumbnails.addressOf(job, url),
    }));
    return { job, label: label ?? null, images, isSample: lines.isSample };
  }

  #detailOf(watched: WatchedJob): JobDetail | undefined {
    const { row, status, description, counted, files } = watched;
    if (row === undefined || status === undefined) return undefined;
    const settled = row.classifiedImages + row.failedImages;
    return {
      ...row,
      updatedAt: description === undefined ? null : Date.parse(description.updatedAt),
      imagesPerMessage: description?.perMessage ?? null,
      maxFailureRate: description?.maxFailureRate ?? null,
      maxCostUsd: description?.maxCostUsd ?? null,
      computing: status.computing,
      costPer1000ImagesUsd: settled === 0 ? null : (row.costSoFarUsd / settled) * 1_000,
      partFiles: files?.size ?? counted.length,
      series: jobSeries(watched, Date.now()),
      content: this.#content(watched),
      links: (['results', 'failures'] as const).flatMap((kind) =>
        LINKS.map((format) => ({ format, kind, href: `/api/jobs/${encodeURIComponent(row.job)}/${kind}.${format}` })),
      ),
    };
  }

  /** The last content; reads it (again) in the background. */
  #content(watched: WatchedJob): JobContent | null {
    const reading = this.#readingOf(watched);
    if (reading.isReading === undefined && (reading.lines === undefined || isDue(watched, reading))) {
      this.#read(watched, reading).then(this.#onRead).catch(this.#onFailure);
    }
    return reading.lines === undefined ? null : contentOf(reading.lines, watched.row?.startedAt ?? null);
  }

  async #lines(watched: WatchedJob): Promise<ReadJob> {
    const reading = this.#readingOf(watched);
    if (reading.lines !== undefined && !isDue(watched, reading)) return reading.lines;
    return reading.isReading ?? this.#read(watched, reading);
  }

  #readingOf(watched: WatchedJob): Reading {
    const name = runName(watched.of);
    const reading = this.#readings.get(name) ?? { version: '', readAt: 0, lines: undefined, isReading: undefined };
    this.#readings.delete(name);
    this.#readings.set(name, reading);
    const [oldest = name] = this.#readings.keys();
    if (this.#readings.size > MAX_READ_JOBS) this.#readings.delete(oldest);
    return reading;
  }

  #read(watched: WatchedJob, reading: Reading): Promise<ReadJob> {
    const version = versionOf(watched);
    reading.isReading = readJobLines(this.#target, watched.counted)
      .then((lines) => {
        reading.lines = lines;
        // A failed reading keeps the old version, so it is due again.
        reading.version = version;
        return lines;
      })
      .finally(() => {
        reading.isReading = undefined;
        reading.readAt = Date.now();
      });
    return reading.isReading;
  }
}

/**
 * Whether the files have changed since they were read, and that was long enough ago; false while the files are unknown.
 */
function isDue(watched: WatchedJob, { version, readAt }: Reading): boolean {
  if (watched.files === undefined) return false;
  return version !== versionOf(watched) && Date.now() - readAt >= READ_EVERY_MS;
}

function versionOf({ files }: WatchedJob): string {
  return String(files?.version ?? 0);
}
