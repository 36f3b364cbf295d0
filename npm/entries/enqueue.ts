import { JOB_NAME, JOB_NAME_RULE } from '../../shared/contract/job-name.ts';
import { MAX_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { describeError } from '../../shared/contract/redact.ts';
import { isWebhookUrl, WEBHOOK_URL_RULE } from '../../shared/contract/standard-webhook.ts';
import {
  enqueue as enqueueImages,
  newJob,
  readEarlierTry,
  resumedFrom,
  resumeProblem,
} from '../../shared/jobs/enqueue.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { type PreflightResult, preflight, scannedImages } from '../../shared/jobs/preflight.ts';
import { type SourceRow, toSourceRow } from '../../shared/jobs/source-row.ts';
import { type Connection, targetOf } from './connection.ts';
import { LabelqueueError, publicError } from './errors.ts';

/**
 * An image to classify: its URL (http, https or s3), or an object with it. `id` is unique within the job, and the URL by
 * default; `meta` is JSON that comes back in the image's line.
 *
 * @public
 */
export type ImageInput = string | { url: string; id?: string; meta?: Record<string, unknown> };

/**
 * The images of a job. They are read twice, first to be checked and then to be sent: an array, or a function that returns
 * them from the beginning each time.
 *
 * @public
 */
export type Images = readonly ImageInput[] | (() => Iterable<ImageInput> | AsyncIterable<ImageInput>);

/**
 * How a job is sent.
 *
 * @public
 */
export type EnqueueOptions = {
  /** The job's name: 1 to 100 letters, digits, dots, underscores and dashes; a letter or a digit first. */
  job: string;
  /** Images per message, 1 to 1,000; by default by the number of images. */
  perMessage?: number;
  /** Go on with a job of the same images that was interrupted: sends only what was not sent. */
  resume?: boolean;
  /** The job cancels itself once this share (above 0, up to 1) of 200 or more outcomes failed. */
  maxFailureRate?: number;
  /** The job cancels itself before its cost passes this many US dollars. */
  maxCostUsd?: number;
  /** A webhook that is called when the job has ended; needs `jobEndQueueUrl`. */
  notify?: string;
  /** Called for each image that cannot be sent, which is then left out. Without, the first such images are an error. */
  onInvalid?: (image: InvalidImage) => void;
  /** Called with how many images are on the queue for certain. */
  onProgress?: (images: number) => void;
  /** Stops the sending; what was sent stays sent. */
  signal?: AbortSignal;
};

/**
 * An image that cannot be sent: its place among the images, from 0, and what is wrong with it.
 *
 * @public
 */
export type InvalidImage = { index: number; problem: string };

/**
 * A job whose images are on the queue.
 *
 * @public
 */
export type EnqueuedJob = {
  job: string;
  /** The run that counts: a name that is used again after a purge gets a new one. */
  run: string;
  /** Images on the queue, those of an earlier try included. */
  images: number;
  /** The messages that carry them. */
  messages: number;
  /** Exact duplicates that were left out. */
  duplicates: number;
  /** Images that were left out since they cannot be sent. */
  invalid: number;
};

/**
 * Checks images, then puts them on the queue as a job.
 *
 * @throws {LabelqueueError} invalid_settings, invalid_images, images_changed, job_exists, run_ended, send_failed, aws
 * @throws the reason of the signal
 *
 * @example
 * await enqueue(connection, ['https://example.com/1.jpg'], { job: 'cats' });
 *
 * @public
 */
export async function enqueue(connection: Connection, images: Images, options: EnqueueOptions): Promise<EnqueuedJob> {
  try {
    checkOptions(connection, options ?? {});
    return await send(targetOf(connection), rereadable(images), options);
  } catch (error) {
    throw publicError(error, connection);
  }
}

type Rows = () => AsyncIterable<SourceRow>;

async function send(target: JobTarget, rows: Rows, options: EnqueueOptions): Promise<EnqueuedJob> {
  const { job, resume = false, onProgress, signal } = options;
  const earlier = await readEarlierTry(target, job);
  const found = await checked(rows, { ...options, perMessage: options.perMessage ?? earlier?.description.perMessage });
  const problem = resumeProblem(earlier, found.digest, resume, 'resume it, or purge it first');
  if (problem !== undefined) throw new LabelqueueError('job_exists', problem);
  const before = earlier?.description;
  const { run, sent, messages } =
    before?.state === 'enqueued'
      ? before
      : await enqueueImages(
          target,
          stoppable(scannedImages(rows(), found), signal),
          resumedFrom(before, planOf(found, options)),
          onProgress,
        );
  return { job, run: run ?? '', images: sent, messages, duplicates: found.duplicates, invalid: found.invalid };
}

function planOf(found: PreflightResult, { job, maxFailureRate, maxCostUsd, notify }: EnqueueOptions) {
  return newJob({
    job,
    source: 'images of a program',
    sourceDigest: found.digest,
    perMessage: found.perMessage,
    images: found.images,
    ...(maxFailureRate !== undefined && { maxFailureRate }),
    ...(maxCostUsd !== undefined && { maxCostUsd }),
    ...(notify !== undefined && { notify }),
  });
}

/** As many as a message has room for. */
const TOLD_PROBLEMS = 5;

async function checked(
  rows: Rows,
  { job, perMessage, onInvalid, signal }: Omit<EnqueueOptions, 'perMessage'> & { perMessage: number | undefined },
): Promise<PreflightResult> {
  const problems: string[] = [];
  const found = await preflight(stoppable(rows(), signal), { job, perMessage }, ({ line, problem }) => {
    onInvalid?.({ index: line, problem });
    if (problems.length < TOLD_PROBLEMS) problems.push(`  ${line}: ${problem}`);
  });
  if (found.invalid > 0 && onInvalid === undefined) {
    const more = found.invalid > problems.length ? `\n  and ${found.invalid - problems.length} more` : '';
    throw new LabelqueueError('invalid_images', `nothing was sent, by index:\n${problems.join('\n')}${more}`);
  }
  if (found.images > 0) return found;
  throw new LabelqueueError('invalid_images', 'expected at least one image that can be sent');
}

function rereadable(images: Images): Rows {
  if (typeof images === 'function') return () => rowsOf(images());
  if (Array.isArray(images)) return () => rowsOf(images);
  throw new LabelqueueError(
    'invalid_images',
    'expected an array of images, or a function that returns them from the beginning each time: they are read twice',
  );
}

async function* rowsOf(images: Iterable<ImageInput> | AsyncIterable<ImageInput>): AsyncGenerator<SourceRow> {
  let index = 0;
  for await (const image of images) {
    yield rowOf(index++, typeof image === 'string' ? { url: image } : image);
  }
}

/** What JSON cannot say (a BigInt, a cycle) makes its image invalid. */
function rowOf(index: number, given: unknown): SourceRow {
  try {
    return toSourceRow(index, JSON.stringify(given) ?? '', given, undefined);
  } catch (error) {
    return { line: index, text: '', problem: `expected what JSON can hold: ${describeError(error)}` };
  }
}

async function* stoppable<Item>(items: AsyncIterable<Item>, signal: AbortSignal | undefined): AsyncGenerator<Item> {
  for await (const item of items) {
    signal?.throwIfAborted();
    yield item;
  }
}

/** Programs without types give anything: what is written here, each command must be able to read. */
function checkOptions(connection: Connection, options: { [Name in keyof EnqueueOptions]?: unknown }): void {
  const { job, perMessage = 1, maxFailureRate = 1, maxCostUsd = 1, notify } = options;
  const jobEndQueueUrl = connection?.jobEndQueueUrl;
  const problems = [
    typeof job === 'string' && JOB_NAME.test(job) ? '' : `job: expected ${JOB_NAME_RULE}`,
    isNumber(perMessage) && Number.isInteger(perMessage) && perMessage >= 1 && perMessage <= MAX_IMAGES_PER_MESSAGE
      ? ''
      : `perMessage: expected a whole number from 1 to ${MAX_IMAGES_PER_MESSAGE}`,
    isNumber(maxFailureRate) && maxFailureRate > 0 && maxFailureRate <= 1
      ? ''
      : 'maxFailureRate: expected a number above 0 and up to 1',
    isNumber(maxCostUsd) && maxCostUsd > 0 && Number.isFinite(maxCostUsd)
      ? ''
      : 'maxCostUsd: expected a number above 0',
    notify === undefined || (typeof notify === 'string' && isWebhookUrl(notify))
      ? ''
      : `notify: expected ${WEBHOOK_URL_RULE}`,
    notify === undefined || jobEndQueueUrl !== undefined ? '' : 'notify: expected jobEndQueueUrl beside it',
  ].filter((problem) => problem !== '');
  if (problems.length > 0) throw new LabelqueueError('invalid_settings', problems.join('; '));
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
