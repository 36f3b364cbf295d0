import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, NoSuchKey, PutObjectCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { inBatches } from '../contract/batches.ts';
import { parseJson } from '../contract/exact-json.ts';
import { toImageRef } from '../contract/image-ref.ts';
import { type JobRun, runField } from '../contract/job-run.ts';
import { type ImageRef, messageSchema, type QueueMessage } from '../contract/message.ts';
import { partKey, redrivenKey, redrivePrefix } from '../contract/object-keys.ts';
import { packMessages } from '../contract/pack-messages.ts';
import { MalformedMessage, parseMessage } from '../contract/parse-message.ts';
import type { FailureLine } from '../contract/result-line.ts';
import type { WorkerTime } from '../contract/worker-time.ts';
import { usdOfTime } from '../cost.ts';
import { countFailures } from './count-failures.ts';
import { type DeadLetter, type DeadLetterScanOptions, scanDeadLetters } from './dead-letters.ts';
import { deleteObjects } from './delete-objects.ts';
import { EndHold } from './end-hold.ts';
import { writeFailureLines } from './failure-files.ts';
import { IdSet } from './id-set.ts';
import type { JobTarget } from './job-target.ts';
import { listObjects } from './list-objects.ts';
import { latestOf, type Part, partsOfSameImages } from './list-parts.ts';
import { partLines } from './read-outcomes.ts';
import { sendMessages } from './send-messages.ts';

/** What to redrive. `run` is the newest run: failures of earlier runs are never redriven. */
export type RedriveOptions = JobRun & {
  /** Only failures with these codes; undefined for all. */
  codes: ReadonlySet<string> | undefined;
  /** Selects among these; all by default. */
  which?: (image: FailedImage) => boolean;
  perMessage: number;
  /** Only counts, by the names of the failure files: an image in two of them counts twice. */
  dryRun: boolean;
  deadLetterScan?: DeadLetterScanOptions;
};

/** A failed image, as in a failure line or a dead letter of the worker. */
export type FailedImage = Pick<ImageRef, 'id' | 'url'> & { error: { code: string; message: string } };

/** What a redrive did. */
export type RedriveResult = {
  /** Sent again. */
  images: number;
  /** Deleted from the DLQ, since their images were sent again. */
  deadLetters: number;
  /** Messages of earlier runs that were left in the DLQ. */
  ofEarlierRuns: number;
  /** Messages in the DLQ that could not be looked at, approximately. */
  notLookedAt: number;
};

/** Concurrent batches: each takes some sequential requests. */
const BATCHES_AT_ONCE = 4;
const READS_AT_ONCE = 8;
/** Failure files that are taken away and sent together; in jobs of small messages they have one or two lines each. */
const MAX_BATCH_FILES = 500;
const MAX_BATCH_BYTES = 2_000_000;

/**
 * Sends failed images of a run again, as attempt 1, and removes their failures from the failure files and from the DLQ. A
 * failure is removed before its image is sent, since the image may fail again immediately, under the same key. Until the image
 * is sent, its line is kept in `jobs/<job>/run=<run>/redrive/`: a redrive that was interrupted at any point can simply be
 * repeated. An image that is sent twice is counted once. Dead letters of the job without a run are sent again without one;
 * those of other runs stay.
 *
 * @param now dead letters that arrive later belong to later failures, and stay
 */
export async function redrive(target: JobTarget, options: RedriveOptions, now: Date): Promise<RedriveResult> {
  if (options.dryRun)
    return { images: await countFailures(target, options), deadLetters: 0, ofEarlierRuns: 0, notLookedAt: 0 };
  const run = new RedriveRun(target, options, now);
  const hold = await EndHold.take(target, options);
  try {
    await run.finishInterrupted();
    await run.sendFailures();
    const mayDelete = async (letter: DeadLetter) => letter.sentAt <= now && run.mayDelete(letter);
    const { deleted, notLookedAt } = await scanDeadLetters(target, mayDelete, options.deadLetterScan);
    if (run.images > 0) await run.mark();
    return { images: run.images, deadLetters: deleted, ofEarlierRuns: run.lettersOfEarlierRuns, notLookedAt };
  } finally {
    // The images are sent; a hold that is not released expires, and the workers request looks.
    await hold?.release(run.images > 0).catch(() => undefined);
  }
}

class RedriveRun {
  readonly #target: JobTarget;
  readonly #options: RedriveOptions;
  /** S3 has whole seconds. */
  readonly #startedMs: number;
  /** Ids of images that were sent again. */
  readonly #sent = new IdSet();
  /** Ids of images of dead letters without a run, where the job has one. */
  readonly #sentWithoutRun = new IdSet();
  lettersOfEarlierRuns = 0;
  /** Ids of images whose failures were not selected. */
  readonly #stillFailed = new IdSet();

  constructor(target: JobTarget, options: RedriveOptions, now: Date) {
    this.#target = target;
    this.#options = options;
    this.#startedMs = Math.floor(now.getTime() / 1_000) * 1_000;
  }

  get images(): number {
    return this.#sent.size + this.#sentWithoutRun.size;
  }

  /** Sends what interrupted redrives removed and may not have sent. */
  async finishInterrupted(): Promise<void> {
    const { s3, resultsBucket } = this.#target;
    for await (const { Key = '' } of listObjects(s3, resultsBucket, redrivePrefix(this.#options))) {
      await this.mark();
      await this.#send(await this.#linesIn(Key));
      await this.#delete(Key);
    }
  }

  async sendFailures(): Promise<void> {
    const files = partsOfSameImages(this.#target, 'failures', this.#options);
    const limits = { maxItems: MAX_BATCH_FILES, maxBytes: MAX_BATCH_BYTES };
    const batches = inBatches(files, limits, (ofSameImages) => latestOf(ofSameImages).bytes);
    await forEachToEnd(batches, (batch) => this.#redriveBatch(batch));
  }

  /**
   * Marks that images of the run may be on the queue again, for the sweep: dead letters that a sweep hides from this redrive
   * stay in the DLQ although their images are sent.
   */
  async mark(): Promise<void> {
    const { s3, resultsBucket: Bucket } = this.#target;
    const content = { Body: JSON.stringify({ at: new Date() }), ContentType: 'application/json' };
    await s3.send(new PutObjectCommand({ Bucket, Key: redrivenKey(this.#options), ...content }));
  }

  /** @param batch files grouped by images; the latest of each group counts */
  async #redriveBatch(batch: readonly Part[][]): Promise<void> {
    const read = await pMap(batch, (files) => this.#choose(files), { concurrency: READS_AT_ONCE });
    for (const { left } of read) for (const { id } of left) this.#stillFailed.add(id);
    const taken = read.filter(({ chosen }) => chosen.length > 0);
    if (taken.length === 0) return;
    const chosen = taken.flatMap((file) => file.chosen);
    const takenAway = `${redrivePrefix(this.#options)}${randomUUID()}.jsonl`;
    await writeFailureLines(this.#target, takenAway, chosen);
    await this.mark();
    for (const { left, files } of taken) {
      if (left.length === 0) continue;
      await writeFailureLines(this.#target, partKey('failures', this.#options, left, timeOf(files)), left);
    }
    const { s3, resultsBucket } = this.#target;
    await deleteObjects(
      s3,
      resultsBucket,
      taken.flatMap(({ files }) => files.map(({ key }) => key)),
    );
    await this.#send(chosen);
    await this.#delete(takenAway);
  }

  async #choose(files: readonly Part[]): Promise<Choice> {
    const latest = latestOf(files);
    const lines = await this.#linesIn(latest.key);
    if (this.#haveFailedAgain(latest, lines)) return { files, chosen: [], left: [] };
    const { chosen = [], left = [] } = Object.groupBy(lines, (line) => (this.#isChosen(line) ? 'chosen' : 'left'));
    return { files, chosen, left };
  }

  #isChosen(image: FailedImage): boolean {
    const { codes, which = () => true } = this.#options;
    return (codes === undefined || codes.has(image.error.code)) && which(image);
  }

  /**
   * Files are listed while images are sent: images that fail again immediately are listed once more, in newer files, and stay
   * for the next redrive. An older file with images that were sent holds duplicates of their failures, and is removed.
   */
  #haveFailedAgain({ writtenAt }: Part, lines: readonly FailureLine[]): boolean {
    return writtenAt.getTime() >= this.#startedMs && lines.every(({ id }) => this.#sent.has(id));
  }

  async #send(lines: readonly FailureLine[]): Promise<void> {
    for (const { id } of lines) this.#sent.add(id);
    await this.#sendImages(this.#options, lines.map(toImageRef));
  }

  async #sendImages({ job, run }: JobRun, images: readonly ImageRef[]): Promise<void> {
    const { perMessage } = this.#options;
    const { sqs, queueUrl } = this.#target;
    const envelope = { job, ...runField(run), attempt: 1 };
    const messages = await Array.fromAsync(packMessages(envelope, images, perMessage));
    await sendMessages(sqs, queueUrl, messages, job);
  }

  /** Empty when the file was deleted since it was listed: by another redrive. */
  async #linesIn(key: string): Promise<FailureLine[]> {
    try {
      return await Array.fromAsync(partLines<FailureLine>(this.#target, key));
    } catch (error) {
      if (error instanceof NoSuchKey) return [];
      throw error;
    }
  }

  async #delete(Key: string): Promise<void> {
    const { s3, resultsBucket: Bucket } = this.#target;
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  }

  /**
   * Whether a dead letter may be deleted: its images were sent again. Images without a failure line are sent here: SQS itself
   * moved their message, or an earlier redrive was interrupted. Whether that redrive sent them is unknown, and classifying an
   * image twice costs less than looking for its result.
   */
  async mayDelete({ body }: DeadLetter): Promise<boolean> {
    const message = parseMessage(body);
    if (message instanceof MalformedMessage || message.job !== this.#options.job) return false;
    const isOfThisRun = message.run === this.#options.run;
    if (!isOfThisRun && message.run !== undefined) {
      this.lettersOfEarlierRuns++;
      return false;
    }
    if (isOfThisRun && message.images.some(({ id }) => this.#stillFailed.has(id))) return false;
    const sent = isOfThisRun ? this.#sent : this.#sentWithoutRun;
    const unsent = message.images.filter(({ id }) => !sent.has(id));
    if (unsent.length > 0 && !this.#areAllChosen(message, body)) return false;
    for (const { id } of unsent) sent.add(id);
    await this.#sendImages(message, unsent);
    return true;
  }

  #areAllChosen({ images }: QueueMessage, body: string): boolean {
    const { codes, which } = this.#options;
    if (codes === undefined && which === undefined) return true;
    return failedImagesIn(body, images).every((image) => this.#isChosen(image));
  }
}

/** The lines of files with the same images: those to send again, and those that stay. */
type Choice = { files: readonly Part[]; chosen: FailureLine[]; left: FailureLine[] };

/** As p-map, but when one item fails, those in progress are finished before it rejects. */
async function forEachToEnd<Item>(items: AsyncIterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  let failure: { error: unknown } | undefined;
  const workUnlessFailed = async (item: Item) => {
    if (failure !== undefined) return;
    await work(item).catch((error: unknown) => {
      failure ??= { error };
    });
  };
  await pMap(items, workUnlessFailed, { concurrency: BATCHES_AT_ONCE });
  if (failure !== undefined) throw failure.error;
}

/**
 * The time in the names of removed files is kept in the name of the file that replaces them. A name has one type of machine: if
 * the files have several, their cost is kept.
 */
function timeOf(files: readonly Part[]): WorkerTime | undefined {
  const times = files.flatMap(({ time }) => time ?? []);
  const machine = times.find((time) => usdPerMillisecond(time) > 0) ?? times[0];
  if (machine === undefined) return undefined;
  const usd = usdPerMillisecond(machine);
  const factor = (time: WorkerTime) => (usd === 0 ? 1 : usdPerMillisecond(time) / usd);
  return { ...machine, milliseconds: times.reduce((sum, time) => sum + time.milliseconds * factor(time), 0) };
}

function usdPerMillisecond(time: WorkerTime): number {
  return usdOfTime({ ...time, milliseconds: 1 });
}

/**
 * The images of a dead letter with the reason of their failure: dead letters of the worker contain it, messages that SQS moved
 * do not.
 *
 * @param images of the parsed body
 */
export function failedImagesIn(body: string, images: readonly ImageRef[]): (FailedImage & { attempts?: number })[] {
  const parsed = messageSchema.safeParse(parseJson(body));
  if (!parsed.success) return images.map((image) => ({ ...image, error: CRASHED }));
  return parsed.data.images.map(({ error, ...image }) => {
    const { code, message, attempts } = error ?? CRASHED;
    return { ...(image as ImageRef), error: { code, message }, ...(attempts !== undefined && { attempts }) };
  });
}

const CRASHED: { code: string; message: string; attempts?: number } = {
  code: 'worker_crashed',
  message: 'SQS moved the message: it was delivered as often as the queue permits',
};
