import { Mutex } from 'async-mutex';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { scanDeadLetters } from '../../shared/jobs/dead-letters.ts';
import { IdSet } from '../../shared/jobs/id-set.ts';
import { isCancelled, newestRun } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { redrive } from '../../shared/jobs/redrive.ts';
import type { Changed, DeadLetterChange, DeadLetterFilter, DeadLetters } from '../contract.ts';
import { ApiFailure } from './api-failure.ts';
import { counted } from './counted.ts';
import {
  charsOf,
  cutToRow,
  facetsOf,
  fits,
  fitsWhole,
  imageFits,
  letterRow,
  type ReadLetter,
  readLetter,
} from './letter-rows.ts';
import type { Thumbnails } from './thumbnails.ts';

/** What is still hidden when a look is interrupted comes back after so long. */
const HIDDEN_SECONDS = 30;
/** A look takes no longer, however many letters there are; then they are put back. */
const LOOK_MS = 10_000;
/** A deletion goes on until it has come to its end, or this. */
const CHANGE_MS = 10 * 60_000;
/** Looks and changes that wait for their turn: two at once would hide letters from each other. */
const MOST_WAITING = 8;
const MAX_ROWS = 200;
const MAX_NAMES = 50;
/** Names that are counted; others of the same kind are left out of the lists. */
const MAX_COUNTED_NAMES = 5_000;

/** What a look has found answers other filters for so long: who types a word must not wait for each letter of it. */
const KEPT_MS = 15_000;
/** Characters of bodies that are kept for that; of a longer queue each filter is a look. */
const MOST_KEPT_CHARS = 16_000_000;
/** Characters of rows that a look keeps. */
const MOST_ROW_CHARS = 8_000_000;
/** A change goes by what a look has shown for so long, and by one of the last few looks. */
const SHOWN_MS = 15 * 60_000;
const MOST_SHOWN = 8;

type Names = 'job' | 'code' | 'host';
/** All letters of a look. */
type Kept = { at: number; letters: ReadLetter[]; lookedAt: number; notLookedAt: number };

/** Shows what is in the dead-letter queue, and redrives or deletes what a filter shows. */
export class DeadLetterDesk {
  readonly #target: JobTarget;
  readonly #thumbnails: Thumbnails;
  readonly #turn = new Mutex();
  #waiting = 0;
  #kept: Kept | undefined;
  /** By filter: what was shown is what a change may touch. */
  readonly #shown = new Map<string, { at: number; look: Look }>();

  constructor(target: JobTarget, thumbnails: Thumbnails) {
    this.#target = target;
    this.#thumbnails = thumbnails;
  }

  /**
   * Letters are hidden from others while the look lasts, and put back at its end.
   *
   * @param isFresh looks again, however soon after the last look
   */
  list(filter: DeadLetterFilter, isFresh: boolean): Promise<DeadLetters> {
    return this.#inTurn(async () => {
      const look = new Look(filter);
      const { at, ...scan } = await this.#found(look, isFresh);
      this.#remember(look);
      const letters = look
        .newestFirst()
        .map((letter) => letterRow(letter, (job, url) => this.#thumbnails.addressOf(job, url)));
      return {
        filter,
        lookedAt: at,
        lookedAtMessages: scan.lookedAt,
        notLookedAtMessages: scan.notLookedAt,
        matchingMessages: look.ids.size,
        matchingImages: look.images,
        letters,
        jobs: look.names('job'),
        codes: look.names('code'),
        hosts: look.names('host'),
      };
    });
  }

  /**
   * Deletes the letters that were shown for the filter, but for those that hold images which do not fit it.
   *
   * @throws {ApiFailure} count-changed
   */
  delete(change: DeadLetterChange): Promise<Changed> {
    return this.#inTurn(async () => {
      const { ids } = await this.#confirmed(change);
      let inPart = 0;
      const mayDelete = async (letter: ReadLetter) => {
        if (!ids.has(letter.letterId)) return false;
        const isWhole = fitsWhole(letter, change.filter);
        if (!isWhole) inPart++;
        return isWhole;
      };
      const { deleted } = await this.#scan(undefined, mayDelete, CHANGE_MS);
      const left = inPart === 0 ? '' : ` Left: ${counted(inPart, 'letter')} with images that do not match the filter.`;
      return { images: 0, messages: deleted, text: `${counted(deleted, 'dead letter')} deleted.${left}` };
    });
  }

  /**
   * Sends the images that were shown for the filter again, job by job, as `labelqueue redrive` does.
   *
   * @throws {ApiFailure} count-changed, not-possible
   */
  redrive(change: DeadLetterChange): Promise<Changed & { jobs: string[] }> {
    return this.#inTurn(async () => {
      const look = await this.#confirmed(change);
      const jobs = [...look.jobs];
      const cancelled: string[] = [];
      let [images, messages] = [0, 0];
      for (const job of jobs) {
        const of = await newestRun(this.#target, job);
        if (await isCancelled(this.#target, of)) {
          cancelled.push(job);
          continue;
        }
        const which = (image: Parameters<typeof imageFits>[0]) =>
          look.shows(job, image.id) && imageFits(image, change.filter);
        const options = { ...of, codes: undefined, which, perMessage: DEFAULT_IMAGES_PER_MESSAGE, dryRun: false };
        const redriven = await redrive(this.#target, options, new Date());
        images += redriven.images;
        messages += redriven.deadLetters;
      }
      if (images === 0) throw new ApiFailure('not-possible', whyNothing(cancelled));
      const left = cancelled.length === 0 ? '' : ` Left: those of cancelled jobs (${cancelled.join(', ')}).`;
      const text = `${counted(images, 'image')} sent again, ${counted(messages, 'dead letter')} removed.${left}`;
      return { images, messages, text, jobs };
    });
  }

  /** Looks at the queue, or at what the last look has found. */
  async #found(look: Look, isFresh: boolean): Promise<Omit<Kept, 'letters'>> {
    const kept = this.#kept;
    if (!isFresh && kept !== undefined && Date.now() - kept.at < KEPT_MS) {
      for (const letter of kept.letters) look.add(letter);
      return kept;
    }
    this.#kept = undefined;
    const letters: ReadLetter[] = [];
    let chars = 0;
    const keep = async (letter: ReadLetter) => {
      chars += letter.bodyChars;
      if (chars <= MOST_KEPT_CHARS) letters.push(letter);
      else letters.length = 0;
      return false;
    };
    const { lookedAt, notLookedAt } = await this.#scan(look, keep, LOOK_MS);
    const found = { at: Date.now(), lookedAt, notLookedAt };
    if (chars <= MOST_KEPT_CHARS) this.#kept = { ...found, letters };
    return found;
  }

  #remember(look: Look): void {
    const key = keyOf(look.filter);
    this.#shown.get(key)?.look[Symbol.dispose]();
    this.#shown.delete(key);
    this.#shown.set(key, { at: Date.now(), look });
    const [oldest] = this.#shown.keys();
    if (this.#shown.size <= MOST_SHOWN || oldest === undefined) return;
    this.#shown.get(oldest)?.look[Symbol.dispose]();
    this.#shown.delete(oldest);
  }

  /**
   * What the person has seen, if its number is the one that was typed: a queue that is too long for a look is never the
   * same twice. Otherwise what fits now.
   */
  async #confirmed({ filter, confirm }: DeadLetterChange): Promise<Look> {
    this.#kept = undefined;
    const shown = this.#shown.get(keyOf(filter));
    if (shown !== undefined && Date.now() - shown.at < SHOWN_MS && confirm === String(shown.look.ids.size)) {
      return shown.look;
    }
    const look = new Look(filter);
    const { notLookedAt } = await this.#scan(look, async () => false, LOOK_MS);
    this.#remember(look);
    const expected = String(look.ids.size);
    if (confirm === expected) return look;
    const notSeen = notLookedAt === 0 ? '' : `; about ${notLookedAt} could not be read`;
    throw new ApiFailure(
      'count-changed',
      `${counted(look.ids.size, 'dead letter')} match the filter now, not ${confirm.slice(0, 20)}${notSeen}: type the new number`,
      expected,
    );
  }

  #scan(look: Look | undefined, mayDelete: (letter: ReadLetter) => Promise<boolean>, milliseconds: number) {
    return scanDeadLetters(
      this.#target,
      async (letter) => {
        const read = readLetter(letter);
        look?.add(read);
        return mayDelete(read);
      },
      { hiddenSeconds: HIDDEN_SECONDS, signal: AbortSignal.timeout(milliseconds) },
    );
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= MOST_WAITING) throw new ApiFailure('busy', 'the dead letters are being read: try again');
    this.#waiting++;
    try {
      return await this.#turn.runExclusive(work);
    } finally {
      this.#waiting--;
    }
  }
}

function whyNothing(cancelled: readonly string[]): string {
  const jobs = cancelled.length === 0 ? '' : ` (cancelled: ${cancelled.join(', ')})`;
  return `none of these can be sent again: malformed messages, and dead letters of earlier runs, of cancelled jobs${jobs} or with images that do not match the filter`;
}

function keyOf({ job, code, host, text }: DeadLetterFilter): string {
  return JSON.stringify([job, code, host, text]);
}

function imageKey(job: string | undefined, id: string): string {
  return `${job ?? ''}\n${id}`;
}

/** What a scan has found for a filter, in memory that does not grow with the letters but for their ids. */
class Look implements Disposable {
  readonly filter: DeadLetterFilter;
  /** Of images that fit, with their jobs. */
  readonly #imageIds = new IdSet();
  #rowChars = 0;
  readonly #counts: Record<Names, Map<string, number>> = { job: new Map(), code: new Map(), host: new Map() };
  /** Of the letters that fit. */
  readonly ids = new Set<string>();
  readonly jobs = new Set<string>();
  images = 0;
  /** Of those that fit, the newest and some others. */
  #newest: ReturnType<typeof cutToRow>[] = [];

  constructor(filter: DeadLetterFilter) {
    this.filter = filter;
  }

  add(letter: ReadLetter): void {
    for (const [kind, names] of Object.entries(facetsOf(letter))) this.#count(kind as Names, names);
    if (!fits(letter, this.filter)) return;
    this.ids.add(letter.letterId);
    if (letter.job !== undefined) this.jobs.add(letter.job);
    const fitting = letter.images.filter((image) => imageFits(image, this.filter));
    this.images += fitting.length;
    for (const { id } of fitting) this.#imageIds.add(imageKey(letter.job, id));
    const row = cutToRow(letter);
    this.#newest.push(row);
    this.#rowChars += charsOf(row);
    if (this.#newest.length >= 2 * MAX_ROWS || this.#rowChars > MOST_ROW_CHARS) this.#trim();
  }

  /** Whether an image was among those that fit. */
  shows(job: string, id: string): boolean {
    return this.#imageIds.has(imageKey(job, id));
  }

  [Symbol.dispose](): void {
    this.#imageIds[Symbol.dispose]();
  }

  /** The newest, as many as fit into half of what may be kept. */
  #trim(): void {
    const kept = this.newestFirst();
    let chars = 0;
    const last = kept.findIndex((row) => {
      chars += charsOf(row);
      return chars > MOST_ROW_CHARS / 2;
    });
    this.#newest = last === -1 ? kept : kept.slice(0, last);
    this.#rowChars = this.#newest.reduce((sum, row) => sum + charsOf(row), 0);
  }

  names(kind: Names): { name: string; messages: number }[] {
    return Array.from(this.#counts[kind], ([name, messages]) => ({ name, messages }))
      .sort((one, other) => other.messages - one.messages || (one.name < other.name ? -1 : 1))
      .slice(0, MAX_NAMES);
  }

  #count(kind: Names, names: ReadonlySet<string>): void {
    const counts = this.#counts[kind];
    for (const name of names) {
      const count = counts.get(name);
      if (count !== undefined || counts.size < MAX_COUNTED_NAMES) counts.set(name, (count ?? 0) + 1);
    }
  }

  newestFirst(): ReturnType<typeof cutToRow>[] {
    return this.#newest.toSorted((one, other) => other.sentAt - one.sentAt).slice(0, MAX_ROWS);
  }
}
