import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, NoSuchKey, PutObjectCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { type JobRun, runField } from '../contract/job-run.ts';
import { type ImageRef, messageSchema, parseMessage, UnreadableMessage } from '../contract/message.ts';
import { partKey, redrivePrefix } from '../contract/object-keys.ts';
import { packMessages } from '../contract/pack-messages.ts';
import type { FailureLine } from '../contract/result-line.ts';
import type { WorkerTime } from '../contract/worker-time.ts';
import { type DeadLetter, scanDeadLetters } from './dead-letters.ts';
import type { JobTarget } from './job-target.ts';
import { listObjects } from './list-objects.ts';
import { allParts, type Part } from './list-parts.ts';
import { withWholeCharacters } from './outcomes/whole-characters.ts';
import { partLines } from './read-outcomes.ts';
import { sendMessages } from './send-messages.ts';

/** `run` is the newest one: failures of others are of no use to anybody. */
export type RedriveOptions = JobRun & {
  /** Which failures; undefined for all. */
  codes: ReadonlySet<string> | undefined;
  perMessage: number;
  /** Only counts. */
  dryRun: boolean;
};

/**
 * How many images were sent again, how many dead-letter messages were taken away for it, and how many of earlier runs
 * were left in the DLQ.
 */
export type Redriven = { images: number; deadLetters: number; ofEarlierRuns: number };

/** Failure files that are worked on at once: each takes some requests, one after the other. */
const FILES_AT_ONCE = 8;

/**
 * Sends failed images of a job's run again, as attempt 1, and takes their failures away: from the failure
 * files and from the DLQ. A failure is taken away before its image is sent, since the worker may fail it again at once,
 * under the same key. Until the image is sent, its line lies in `jobs/<job>/run=<run>/redrive/`: interrupted at any point, a
 * redrive is simply run again. Whatever is taken away is sent afterwards; an image that was sent twice is counted
 * once. Dead letters of the job without a run are sent again without one; those of another run stay.
 *
 * @param now letters that come later belong to failures that come later, and stay
 */
export async function redrive(target: JobTarget, options: RedriveOptions, now: Date): Promise<Redriven> {
  const run = new RedriveRun(target, options);
  await run.finishInterrupted();
  await run.sendFailures();
  if (options.dryRun) return { images: run.images, deadLetters: 0, ofEarlierRuns: 0 };
  const deadLetters = await scanDeadLetters(target, async (letter) => letter.sentAt <= now && run.mayDelete(letter));
  return { images: run.images, deadLetters, ofEarlierRuns: run.lettersOfEarlierRuns };
}

class RedriveRun {
  readonly #target: JobTarget;
  readonly #options: RedriveOptions;
  /** Ids of images that were sent again. */
  readonly #sent = new Set<string>();
  /** Images of letters without a run, where the job has one; no other run of theirs is known, so their ids count once. */
  readonly #sentWithoutRun = new Set<string>();
  lettersOfEarlierRuns = 0;
  /** Ids of images whose failures were not chosen. */
  readonly #stillFailed = new Set<string>();

  constructor(target: JobTarget, options: RedriveOptions) {
    this.#target = target;
    this.#options = options;
  }

  get images(): number {
    return this.#sent.size + this.#sentWithoutRun.size;
  }

  /** Sends what earlier redrives took away and may not have sent. */
  async finishInterrupted(): Promise<void> {
    const { s3, resultsBucket } = this.#target;
    for await (const { Key = '' } of listObjects(s3, resultsBucket, redrivePrefix(this.#options))) {
      await this.#send(await this.#linesIn(Key));
      await this.#delete(Key);
    }
  }

  async sendFailures(): Promise<void> {
    const filesOfSameImages = new Map<string, Part[]>();
    for await (const part of allParts(this.#target, 'failures', this.#options)) {
      const files = filesOfSameImages.get(part.digest);
      if (files === undefined) filesOfSameImages.set(part.digest, [part]);
      else files.push(part);
    }
    await eachToItsEnd(filesOfSameImages.values(), (files) => this.#redriveFiles(files));
  }

  /** @param files with lines of the same images, of which the latest counts */
  async #redriveFiles(files: readonly Part[]): Promise<void> {
    const latest = files.toSorted((one, other) => one.writtenAt.getTime() - other.writtenAt.getTime()).at(-1) as Part;
    const { codes } = this.#options;
    const lines = await this.#linesIn(latest.key);
    const isChosen = ({ error }: FailureLine) => codes === undefined || codes.has(error.code);
    const chosen = lines.filter(isChosen);
    const left = lines.filter((line) => !isChosen(line));
    for (const { id } of left) this.#stillFailed.add(id);
    if (chosen.length === 0) return;
    const takenAway = `${redrivePrefix(this.#options)}${randomUUID()}.jsonl`;
    await this.#write(takenAway, chosen);
    if (left.length > 0) await this.#write(partKey('failures', this.#options, left, timeOf(files)), left);
    for (const { key } of files) await this.#delete(key);
    await this.#send(chosen);
    await this.#delete(takenAway);
  }

  async #send(lines: readonly FailureLine[]): Promise<void> {
    for (const { id } of lines) this.#sent.add(id);
    await this.#sendImages(this.#options, lines.map(toImage));
  }

  async #sendImages({ job, run }: JobRun, images: readonly ImageRef[]): Promise<void> {
    const { perMessage, dryRun } = this.#options;
    if (dryRun) return;
    const { sqs, queueUrl } = this.#target;
    const envelope = { job, ...runField(run), attempt: 1 };
    const messages = await Array.fromAsync(packMessages(envelope, images, perMessage));
    await sendMessages(sqs, queueUrl, messages, job);
  }

  /** None when the file is gone since it was listed: another redrive has it. */
  async #linesIn(key: string): Promise<FailureLine[]> {
    try {
      return await Array.fromAsync(partLines<FailureLine>(this.#target, key));
    } catch (error) {
      if (error instanceof NoSuchKey) return [];
      throw error;
    }
  }

  async #write(Key: string, lines: readonly FailureLine[]): Promise<void> {
    if (this.#options.dryRun) return;
    const { s3, resultsBucket: Bucket } = this.#target;
    const Body = withWholeCharacters(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/x-ndjson' }));
  }

  async #delete(Key: string): Promise<void> {
    if (this.#options.dryRun) return;
    const { s3, resultsBucket: Bucket } = this.#target;
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  }

  /**
   * Whether a letter of the DLQ may go: its images were sent again. Those of a letter without a failure line are
   * sent here: SQS moved it there by itself, or an earlier redrive did not come to it. Whether it sent them nobody
   * knows, and to label an image twice costs less than to look for its result.
   */
  async mayDelete({ body }: DeadLetter): Promise<boolean> {
    const message = parseMessage(body);
    if (message instanceof UnreadableMessage || message.job !== this.#options.job) return false;
    const isOfThisRun = message.run === this.#options.run;
    if (!isOfThisRun && message.run !== undefined) {
      this.lettersOfEarlierRuns++;
      return false;
    }
    if (isOfThisRun && message.images.some(({ id }) => this.#stillFailed.has(id))) return false;
    const sent = isOfThisRun ? this.#sent : this.#sentWithoutRun;
    const unsent = message.images.filter(({ id }) => !sent.has(id));
    if (unsent.length > 0 && !this.#isChosen(body)) return false;
    for (const { id } of unsent) sent.add(id);
    await this.#sendImages(message, unsent);
    return true;
  }

  #isChosen(body: string): boolean {
    const { codes } = this.#options;
    return codes === undefined || errorCodesOf(body).every((code) => codes.has(code));
  }
}

/** As p-map, but when one fails, those that are under way come to their end before it rejects. */
async function eachToItsEnd<Item>(items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  let failure: { error: unknown } | undefined;
  const workUnlessFailed = async (item: Item) => {
    if (failure !== undefined) return;
    await work(item).catch((error: unknown) => {
      failure ??= { error };
    });
  };
  await pMap(items, workUnlessFailed, { concurrency: FILES_AT_ONCE });
  if (failure !== undefined) throw failure.error;
}

/** What was spent on files that are removed goes on standing in the name of the one that replaces them. */
function timeOf(files: readonly Part[]): WorkerTime | undefined {
  const times = files.flatMap(({ time }) => time ?? []);
  const [first] = times;
  if (first === undefined) return undefined;
  return { ...first, milliseconds: times.reduce((sum, { milliseconds }) => sum + milliseconds, 0) };
}

function toImage({ id, url, meta }: FailureLine): ImageRef {
  return meta === undefined ? { id, url } : { id, url, meta };
}

/** The worker writes what went wrong into the letters that it sends; SQS does not. */
function errorCodesOf(body: string): string[] {
  const parsed = messageSchema.safeParse(parseJson(body));
  if (!parsed.success) return ['worker_crashed'];
  return parsed.data.images.map(({ error }) => error?.code ?? 'worker_crashed');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
