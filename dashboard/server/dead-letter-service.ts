import { Mutex } from 'async-mutex';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { scanDeadLetters } from '../../shared/jobs/dead-letters.ts';
import { IdSet } from '../../shared/jobs/id-set.ts';
import { isCancelled, newestRun } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { redrive } from '../../shared/jobs/redrive.ts';
import type { Changed, DeadLetterChange } from '../contract/changes.ts';
import type { DeadLetterFilter, DeadLetters } from '../contract/dead-letters.ts';
import { ApiFailure } from './api-failure.ts';
import { counted } from './counted.ts';
import {
  charsOf,
  cutToRow,
  facetsOf,
  fits,
  fitsEntirely,
  imageFits,
  letterRow,
  type ReadLetter,
  readLetter,
} from './letter-rows.ts';
import type { Thumbnails } from './thumbnails.ts';

/** Visibility timeout of a scan: if it is interrupted, messages reappear after this time. */
const HIDDEN_SECONDS = 30;
/** Time limit of a scan, however many letters there are; then they are put back. */
const LOOK_MS = 10_000;
/** Time limit of a change. */
const CHANGE_MS = 10 * 60_000;
/** Queued scans and changes: two at once would hide letters from each other. */
const MAX_WAITING = 8;
const MAX_ROWS = 200;
const MAX_NAMES = 50;
/** Maximum number of counted names per list; further names are left out. */
const MAX_COUNTED_NAMES = 5_000;

/** A scan answers other filters for this time, so that typing a filter does not scan for each character. */
const CACHE_MS = 15_000;
/** Characters that are cached for that; for a longer queue, each filter is a scan. */
const MAX_CACHED_CHARS = 16_000_000;
/** Characters of rows that a scan keeps. */
const MAX_ROW_CHARS = 8_000_000;
/** A change may refer to what was shown within this time, in one of the last few scans. */
const SHOWN_MS = 15 * 60_000;
const MAX_SHOWN = 8;

type Names = 'job' | 'code' | 'host';
/** All letters of a scan. */
type CachedScan = { at: number; letters: ReadLetter[]; lookedAt: number; notLookedAt: number };

/** Lists the dead-letter queue, and redrives or deletes what a filter selects. */
export class DeadLetterService {
  readonly #target: JobTarget;
  readonly #thumbnails: Thumbnails;
  readonly #turn = new Mutex();
  #waiting = 0;
  #cached: CachedScan | undefined;
  /** By filter: a change may only affect what was shown. */
  readonly #shown = new Map<string, { at: number; look: Look }>();

  constructor(target: JobTarget, thumbnails: Thumbnails) {
    this.#target = target;
    this.#thumbnails = thumbnails;
  }

  /**
   * Letters are hidden from other readers during the scan, and put back at its end.
   *
   * @param isFresh scans again, however recent the last scan is
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
   * Deletes the letters shown for the filter, except those with images that do not match it.
   *
   * @throws {ApiFailure} count-changed
   */
  delete(change: DeadLetterChange): Promise<Changed> {
    return this.#inTurn(async () => {
      const { ids } = await this.#confirmed(change);
      let inPart = 0;
      const mayDelete = async (letter: ReadLetter) => {
        if (!ids.has(letter.letterId)) return false;
        const isWhole = fitsEntirely(letter, change.filter);
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
      if (images === 0) throw new ApiFailure('not-possible', nothingToRedriveText(cancelled));
      const left = cancelled.length === 0 ? '' : ` Left: those of cancelled jobs (${cancelled.join(', ')}).`;
      const text = `${counted(images, 'image')} sent again, ${counted(messages, 'dead letter')} removed.${left}`;
      return { images, messages, text, jobs };
    });
  }

  /** Uses the last scan, or scans the queue. */
  async #found(look: Look, isFresh: boolean): Promise<Omit<CachedScan, 'letters'>> {
    const cached = this.#cached;
    if (!isFresh && cached !== undefined && Date.now() - cached.at < CACHE_MS) {
      for (const letter of cached.letters) look.add(letter);
      return cached;
    }
    this.#cached = undefined;
    const letters: ReadLetter[] = [];
    let chars = 0;
    const keep = async (letter: ReadLetter) => {
      chars += letter.bodyChars;
      if (chars <= MAX_CACHED_CHARS) letters.push(letter);
      else letters.length = 0;
      return false;
    };
    const { lookedAt, notLookedAt } = await this.#scan(look, keep, LOOK_MS);
    const found = { at: Date.now(), lookedAt, notLookedAt };
    if (chars <= MAX_CACHED_CHARS) this.#cached = { ...found, letters };
    return found;
  }

  #remember(look: Look): void {
    const key = keyOf(look.filter);
    this.#shown.get(key)?.look[Symbol.dispose]();
    this.#shown.delete(key);
    this.#shown.set(key, { at: Date.now(), look });
    const [oldest] = this.#shown.keys();
    if (this.#shown.size <= MAX_SHOWN || oldest === undefined) return;
    this.#shown.get(oldest)?.look[Symbol.dispose]();
    this.#shown.delete(oldest);
  }

  /**
   * What was shown to the user, if the typed number matches: a queue that is too long for a scan never looks the same
   * twice. Otherwise what matches now.
   */
  async #confirmed({ filter, confirm }: DeadLetterChange): Promise<Look> {
    this.#cached = undefined;
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
    if (this.#waiting >= MAX_WAITING) throw new ApiFailure('busy', 'the dead letters are being read: try again');
    this.#waiting++;
    try {
      return await this.#turn.runExclusive(work);
    } finally {
      this.#waiting--;
    }
  }
}

function nothingToRedriveText(cancelled: readonly string[]): string {
  const jobs = cancelled.length === 0 ? '' : ` (${cancelled.join(', ')})`;
  return `none of these can be sent again: malformed messages, and dead letters of earlier runs, of cancelled jobs${jobs} or with images that do not match the filter`;
}

function keyOf({ job, code, host, text }: DeadLetterFilter): string {
  return JSON.stringify([job, code, host, text]);
}

function imageKey(job: string | undefined, id: string): string {
  return `${job ?? ''}\n${id}`;
}

/** The result of a scan for a filter; its memory does not grow with the letters, except for their ids. */
class Look implements Disposable {
  readonly filter: DeadLetterFilter;
  /** Ids of matching images, with their jobs. */
  readonly #imageIds = new IdSet();
  #rowChars = 0;
  readonly #counts: Record<Names, Map<string, number>> = { job: new Map(), code: new Map(), host: new Map() };
  /** Ids of matching letters. */
  readonly ids = new Set<string>();
  readonly jobs = new Set<string>();
  images = 0;
  /** Matching letters: the newest and some others. */
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
    if (this.#newest.length >= 2 * MAX_ROWS || this.#rowChars > MAX_ROW_CHARS) this.#trim();
  }

  /** Whether an image matched. */
  shows(job: string, id: string): boolean {
    return this.#imageIds.has(imageKey(job, id));
  }

  [Symbol.dispose](): void {
    this.#imageIds[Symbol.dispose]();
  }

  /** Keeps the newest, within half of the limit. */
  #trim(): void {
    const rows = this.newestFirst();
    let chars = 0;
    const last = rows.findIndex((row) => {
      chars += charsOf(row);
      return chars > MAX_ROW_CHARS / 2;
    });
    this.#newest = last === -1 ? rows : rows.slice(0, last);
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
