import { createHmac, randomBytes } from 'node:crypto';
import { Semaphore } from 'async-mutex';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';
import { ApiFailure } from './api-failure.ts';
import type { ThumbnailSource } from './thumbnail-source.ts';

/** Fetched and decoded at once; a decode may take a hundred megabytes. */
const AT_ONCE = 4;
/** Waiting requests; a page shows a hundred pictures, and several pages may be open. */
const MAX_WAITING = 400;
/** Cached pictures, about 6 kB each. */
const MAX_BYTES = 24_000_000;
/** Number of most recent URLs that can be requested. */
const MAX_ADDRESSES = 20_000;
const MAX_ADDRESS_CHARS = 20_000_000;
/** A failed picture is requested again after this time. */
const FORGET_FAILURE_MS = 60_000;

type CachedPicture = { picture: Buffer } | { failure: ImageFailure; at: number };

/**
 * Small pictures of images that a gallery or the dead letters have shown. They are fetched by the rules of the worker.
 * A browser requests them by tokens of this process, never by URL.
 */
export class Thumbnails {
  readonly #target: Pick<JobTarget, 's3'>;
  readonly #settings: ClassifierSettings;
  readonly #key = randomBytes(32);
  /** By token; the latest last. */
  readonly #addresses = new Map<string, string>();
  #addressChars = 0;
  readonly #cached = new Map<string, CachedPicture>();
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

  /** The address of an image's picture. */
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
      throw new ApiFailure('picture-unavailable', `the image is not available: ${picture.code}: ${picture.message}`);
    }
    return picture;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled(this.#underWay.values());
    await (await this.#source)?.close();
  }

  #keptOf(token: string): Buffer | ImageFailure | undefined {
    const cached = this.#cached.get(token);
    if (cached === undefined) return undefined;
    if ('failure' in cached) return Date.now() - cached.at < FORGET_FAILURE_MS ? cached.failure : undefined;
    // Moves it to the end of the LRU order.
    this.#cached.delete(token);
    this.#cached.set(token, cached);
    return cached.picture;
  }

  #underWayOf(token: string, url: string): Promise<Buffer | ImageFailure> {
    const underWay = this.#underWay.get(token);
    if (underWay !== undefined) return underWay;
    if (this.#waiting >= MAX_WAITING)
      throw new ApiFailure('busy', 'too many pictures are requested at once: try again');
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

  /** The decoder is loaded with the first picture. */
  #loadedSource(): Promise<ThumbnailSource> {
    this.#source ??= import('./thumbnail-source.ts').then(({ createThumbnailSource }) =>
      createThumbnailSource(this.#target, this.#settings),
    );
    return this.#source;
  }

  #keep(token: string, made: Buffer | ImageFailure): Buffer | ImageFailure {
    this.#forget(token);
    this.#cached.set(token, made instanceof ImageFailure ? { failure: made, at: Date.now() } : { picture: made });
    if (!(made instanceof ImageFailure)) this.#keptBytes += made.length;
    for (const oldest of this.#cached.keys()) {
      if (this.#keptBytes <= MAX_BYTES && this.#cached.size <= MAX_ADDRESSES) break;
      this.#forget(oldest);
    }
    return made;
  }

  #forget(token: string): void {
    const cached = this.#cached.get(token);
    if (cached !== undefined && 'picture' in cached) this.#keptBytes -= cached.picture.length;
    this.#cached.delete(token);
  }

  #forgetAddresses(): void {
    for (const [token, url] of this.#addresses) {
      if (this.#addresses.size <= MAX_ADDRESSES && this.#addressChars <= MAX_ADDRESS_CHARS) return;
      this.#addresses.delete(token);
      this.#addressChars -= url.length;
    }
  }
}
