import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type JobRun, runName } from '../../shared/contract/job-run.ts';
import {
  MAX_SHARED_PART_AGE_MS,
  MAX_SHARED_PART_LINES,
  MIN_IMAGES_FOR_OWN_PART,
} from '../../shared/contract/limits.ts';
import { type PartKind, partKey } from '../../shared/contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import type { EndLooks } from './end-looks.ts';
import type { WorkTime } from './work-time.ts';

type Line = ResultLine | FailureLine;
/** Lines by id: two messages of an invocation may name the same image. */
type SharedPart = {
  kind: PartKind;
  of: JobRun;
  lines: Map<string, Line>;
  written: PromiseWithResolvers<void>;
  timer: NodeJS.Timeout;
};

/** What part files need besides their lines. */
export type PartWriterOptions = {
  /** The time of this worker; without it, part names have none. */
  time?: Pick<WorkTime, 'take' | 'giveBack'> | undefined;
  /** Present where the ends of runs are announced. */
  endLooks?: Pick<EndLooks, 'around'> | undefined;
};

/**
 * Writes part files: many images per file, since a PUT per image would cost more than its inference. The lines of a large
 * message are a file of their own, so that a redelivery replaces it. The lines of small messages share a file, which is
 * written when it is full, 2 s old, or at `flush`. The name of each file holds the time that the worker spent on its job
 * since the previous file.
 */
export class PartWriter {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #time: PartWriterOptions['time'];
  readonly #endLooks: PartWriterOptions['endLooks'];
  readonly #shared = new Map<string, SharedPart>();

  constructor(s3: S3Client, bucket: string, { time, endLooks }: PartWriterOptions = {}) {
    this.#s3 = s3;
    this.#bucket = bucket;
    this.#time = time;
    this.#endLooks = endLooks;
  }

  /**
   * Resolves once the lines are in S3; rejects when they may not be.
   *
   * @param ofImages how many images their message has. This decides whether they are a file of their own, not the number of
   *   lines, so that the few failures of a large message are replaced as well
   */
  async write(kind: PartKind, of: JobRun, lines: Line[], ofImages: number = lines.length): Promise<void> {
    if (lines.length === 0) return;
    if (ofImages >= MIN_IMAGES_FOR_OWN_PART) return this.#put(kind, of, lines);
    const part = this.#sharedPart(kind, of);
    for (const line of lines) part.lines.set(line.id, line);
    if (part.lines.size >= MAX_SHARED_PART_LINES) this.#close(part);
    return part.written.promise;
  }

  /** Writes the shared files of one run or of all now. Errors reach the callers of `write`. */
  flush(of?: JobRun): void {
    for (const part of this.#shared.values()) {
      if (of === undefined || runName(part.of) === runName(of)) this.#close(part);
    }
  }

  #sharedPart(kind: PartKind, { job, run }: JobRun): SharedPart {
    const of = { job, run };
    const name = nameOf(kind, of);
    const open = this.#shared.get(name);
    if (open !== undefined) return open;
    const timer = setTimeout(() => this.#close(part), MAX_SHARED_PART_AGE_MS).unref();
    const part: SharedPart = { kind, of, lines: new Map(), written: Promise.withResolvers(), timer };
    this.#shared.set(name, part);
    return part;
  }

  #close(part: SharedPart): void {
    clearTimeout(part.timer);
    this.#shared.delete(nameOf(part.kind, part.of));
    this.#put(part.kind, part.of, [...part.lines.values()]).then(part.written.resolve, part.written.reject);
  }

  async #put(kind: PartKind, of: JobRun, lines: Line[]): Promise<void> {
    const time = this.#time?.take(runName(of));
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: partKey(kind, of, lines, time),
      Body: `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`,
      ContentType: 'application/x-ndjson',
    });
    try {
      const put = async () => void (await this.#s3.send(command));
      await (this.#endLooks === undefined ? put() : this.#endLooks.around(of, put));
    } catch (error) {
      if (time !== undefined) this.#time?.giveBack(runName(of), time);
      throw error;
    }
  }
}

function nameOf(kind: PartKind, of: JobRun): string {
  return `${kind}/${runName(of)}`;
}
