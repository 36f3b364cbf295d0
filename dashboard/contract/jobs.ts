import type { JobState } from '../../shared/contract/job-state.ts';
import type { EpochMs } from './units.ts';

/** A row of the jobs table, with the figures of `labelqueue status --json`. */
export type JobRow = {
  job: string;
  run: string | null;
  state: JobState;
  /** It gets no more outcomes unless images are sent again. */
  hasEnded: boolean;
  /**
   * Of the whole source; null, like `enqueuedImages` and `remainingImages`, for a job that was not enqueued with the
   * command.
   */
  sourceImages: number | null;
  /** On the queue for certain. */
  enqueuedImages: number | null;
  classifiedImages: number;
  failedImages: number;
  /** The most frequent first. */
  failedImagesByCode: { code: string; images: number }[];
  remainingImages: number | null;
  /** The counts are of a sample of the files. */
  countsAreEstimates: boolean;
  imagesPerSecond: number;
  /** At that rate, which includes attempts that end in a retry; null without progress or after the end. */
  secondsLeft: number | null;
  /** All remaining images wait for their next attempt. */
  waitsForRetries: boolean;
  costSoFarUsd: number;
  startedAt: EpochMs | null;
  /** Time of the last outcome. */
  lastOutcomeAt: EpochMs | null;
  /** E.g. `urls.csv`, `s3://bucket/prefix/`. */
  source: string | null;
};

/** `GET /api/jobs/<job>`, and the event `job`. 404 with the code `no-such-job`. */
export type JobDetail = JobRow & {
  /** When a producer last updated it. */
  updatedAt: EpochMs | null;
  imagesPerMessage: number | null;
  maxFailureRate: number | null;
  maxCostUsd: number | null;
  /** Time measured by its workers, by kind of machine. */
  computing: {
    workers: {
      host: 'lambda' | 'ec2' | 'own';
      architecture: string;
      /** 0 outside Lambda. */
      memoryMb: number;
      instanceFamily?: string | undefined;
      seconds: number;
    }[];
    /** Fraction of outcomes with measured time, 0 to 1. */
    measuredShare: number;
  };
  costPer1000ImagesUsd: number | null;
  partFiles: number;
  /** From its first to its last outcome, at most 300 buckets. */
  series: JobSeries;
  /** Content of its lines; null until they are read, which takes some seconds for a large job. */
  content: JobContent | null;
  /** Downloads, one at a time: 503 with the code `busy` otherwise. */
  links: { format: 'csv' | 'jsonl' | 'parquet'; kind: 'results' | 'failures'; href: string }[];
};

export type JobSeries = {
  bucketSeconds: number;
  bucketAt: EpochMs[];
  classifiedImagesPerSecond: number[];
  failedImagesPerSecond: number[];
  /** Images with an outcome, up to the end of the bucket. */
  settledImages: number[];
};

export type JobContent = {
  /** Number of lines that were read. */
  readImages: number;
  /** Only a random sample of the part files was read: counts are of the sample. */
  isSample: boolean;
  /** By best label, most frequent first, at most 200. */
  labels: { label: string; images: number; meanScore: number }[];
  moreLabels: number;
  /** The slowest first: by attempts per image, then by failures. At most 50. */
  hosts: JobHost[];
  moreHosts: number;
  models: { name: string; version: string; images: number }[];
};

export type JobHost = {
  host: string;
  classifiedImages: number;
  failedImages: number;
  /** Failed with `timeout` or `connection_failed`. */
  silentImages: number;
  /** 1 without retries. */
  meanAttempts: number;
  /** Median time from the start of the job to an image's outcome; null if the start is unknown. */
  medianSecondsToOutcome: number | null;
};

/**
 * `GET /api/jobs/<job>/gallery[?label=<label>][&limit=24]`: classified images, highest score first. The limit is 1 to
 * 100.
 */
export type Gallery = {
  job: string;
  label: string | null;
  images: GalleryImage[];
  isSample: boolean;
};

export type GalleryImage = {
  id: string;
  /** E.g. `https://host/a.jpg`. */
  url: string;
  host: string;
  /** Best first, at most 5. */
  labels: { label: string; score: number }[];
  /**
   * The address of a WebP of 240 x 240: `/api/jobs/<job>/thumbnails/<token>`. 200 with the picture, 404 with the code
   * `picture-unavailable` when the image is not available any more.
   */
  thumbnail: string;
};
