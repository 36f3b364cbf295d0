import { holdsDeadLettersAlone, type JobStatus } from '../../shared/jobs/job-status.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { settleMoved } from '../../shared/jobs/moved-messages.ts';
import { counted } from '../terminal/counted.ts';
import { printNote } from '../terminal/terminal.ts';

/** A worker that has images writes some of them within its invocation of two minutes. */
const STANDS_STILL_AFTER_MS = 120_000;
/** Scanning a DLQ with many messages is slow, and hides them from other readers meanwhile. */
const PAUSE_PER_LOOK = 10;

/**
 * For a command that waits for the end of a job: scans the DLQ when the job makes no progress, and writes failures for
 * messages of the job that SQS moved there by itself.
 */
export class MovedMessages {
  readonly #target: JobTarget;
  #settled = -1;
  #movedAt = 0;
  #nextLookAt = 0;

  constructor(target: JobTarget) {
    this.#target = target;
  }

  /** @returns whether failures were written and the status has changed */
  async settle(status: JobStatus, now: number = Date.now()): Promise<boolean> {
    const settled = status.classified + status.failed;
    if (settled !== this.#settled) [this.#settled, this.#movedAt] = [settled, now];
    if (!this.#mayHaveSome(status, now)) return false;
    const { images } = await settleMoved(this.#target, status, { now: new Date(now) });
    this.#nextLookAt = Date.now() + PAUSE_PER_LOOK * (Date.now() - now);
    if (images > 0) printNote(noteOf(status.job, images));
    return images > 0;
  }

  #mayHaveSome({ state, queue }: JobStatus, now: number): boolean {
    if (state !== 'running' || queue.deadLetters === 0 || now < this.#nextLookAt) return false;
    return holdsDeadLettersAlone(queue) || now - this.#movedAt >= STANDS_STILL_AFTER_MS;
  }
}

function noteOf(job: string, images: number): string {
  const what = `${counted(images, 'image')} in messages that SQS moved to the DLQ: counted as failed (worker_crashed)`;
  return `${what}; labelqueue redrive ${job} sends them again\n`;
}
