import { createHmac, randomBytes } from 'node:crypto';
import { Semaphore } from 'async-mutex';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';
import { ApiFailure } from './api-failure.ts';
import type { ThumbnailSource } from './thumbnail-source.ts';

/** Fetched and decoded at once; a decode may take a hundred megabytes. */
const AT_ONCE = 4;
/** Those that wait; a page shows a hundred, and there may be some pages. */
const MOST_WAITING = 400;
/** Pictures that are kept: about 6 kB each. */
const MOST_BYTES = 24_000_000;
/** URLs that may be asked for, the latest ones: some are long. */
const MOST_ADDRESSES = 20_000;
const MOST_ADDRESS_CHARS = 20_000_000;
/** A picture that could not be had is asked for again after so long. */
const FORGET_FAILURE_MS = 60_000;

type Kept = { picture: Buffer } | { failure: ImageFailure; at: number };

/**
 * Small pictures of images that a gallery or the dead letters have shown. They are fetched as carefully as the worker
 * fetches them. A browser names them by tokens that this process has given out, never by their URLs.
 */
export class Thumbnails {
  readonly #target: Pick<JobTarget, 's3'>;
  readonly #settings: ClassifierSettings;
  readonly #key = randomBytes(32);
  /** By token; the latest last. */
  readonly #addresses = new Map<string, string>();
  #addressChars = 0;
  readonly #kept = new Map<string, Kept>();
  #keptBytes = 0;
  readonly #slots = new Semaphore(AT_ONCE);
  #waiting = 0;
  readonly #underWay = new Map<string, Promise<Buffer | ImageFailure>>();
  readonly #closed = new AbortController();
  #source: Promise<ThumbnailSource> | undefined;

  constructor(target: Pick<JobTarget, 's3'>, settings: ClassifierSettings) {
    this.#target = target;
    this.#settings = settings;
  }

  /** Where a browser gets the picture of an image. */
  addressOf(job: string, url: string): string {
    const token = createHmac('sha256', this.#key).update(`${job}\n${url}`).digest('base64url').slice(0, 22);
    if (!this.#addresses.delete(token)) this.#addressChars += url.length;
    this.#addresses.set(token, url);
    this.#forgetAddresses();
    return `/api/jobs/${encodeURIComponent(job)}/thumbnails/${token}`;
  }

  /**
   * @returns a WebP
   * @throws {ApiFailure} picture-unavailable, busy
   */
  async get(token: string): Promise<Buffer> {
    const url = this.#addresses.get(token);
    if (url === undefined) throw new ApiFailure('not-found', 'expected an image that this page has shown: reload it');
    const picture = this.#keptOf(token) ?? (await this.#underWayOf(token, url));
    if (picture instanceof ImageFailure) {
      throw new ApiFailure('picture-unavailable', `the image cannot be had: ${picture.code}: ${picture.message}`);
    }
    return picture;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled(this.#underWay.values());
    await (await this.#source)?.close();
  }

  #keptOf(token: string): Buffer | ImageFailure | undefined {
    const kept = this.#kept.get(token);
    if (kept === undefined) return undefined;
    if ('failure' in kept) return Date.now() - kept.at < FORGET_FAILURE_MS ? kept.failure : undefined;
    // The one that was shown last is forgotten last.
    this.#kept.delete(token);
    this.#kept.set(token, kept);
    return kept.picture;
  }

  #underWayOf(token: string, url: string): Promise<Buffer | ImageFailure> {
    const underWay = this.#underWay.get(token);
    if (underWay !== undefined) return underWay;
    if (this.#waiting >= MOST_WAITING)
      throw new ApiFailure('busy', 'too many pictures are asked for at once: try again');
    this.#waiting++;
    const making = this.#slots
      .runExclusive(() => this.#make(url))
      .then((made) => this.#keep(token, made))
      .finally(() => {
        this.#waiting--;
        this.#underWay.delete(token);
      });
    this.#underWay.set(token, making);
    return making;
  }

  async #make(url: string): Promise<Buffer | ImageFailure> {
    this.#closed.signal.throwIfAborted();
    const source = await this.#loadedSource();
    return source.make(url, this.#closed.signal);
  }

  /** What decodes is loaded with the first picture: a process that shows none needs no decoder. */
  #loadedSource(): Promise<ThumbnailSource> {
    this.#source ??= import('./thumbnail-source.ts').then(({ createThumbnailSource }) =>
      createThumbnailSource(this.#target, this.#settings),
    );
    return this.#source;
  }

  #keep(token: string, made: Buffer | ImageFailure): Buffer | ImageFailure {
    this.#forget(token);
    this.#kept.set(token, made instanceof ImageFailure ? { failure: made, at: Date.now() } : { picture: made });
    if (!(made instanceof ImageFailure)) this.#keptBytes += made.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= MOST_BYTES && this.#kept.size <= MOST_ADDRESSES) break;
      this.#forget(oldest);
    }
    return made;
  }

  #forget(token: string): void {
    const kept = this.#kept.get(token);
    if (kept !== undefined && 'picture' in kept) this.#keptBytes -= kept.picture.length;
    this.#kept.delete(token);
  }

  #forgetAddresses(): void {
    for (const [token, url] of this.#addresses) {
      if (this.#addresses.size <= MOST_ADDRESSES && this.#addressChars <= MOST_ADDRESS_CHARS) return;
      this.#addresses.delete(token);
      this.#addressChars -= url.length;
    }
  }
}
