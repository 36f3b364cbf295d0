import type { EventsByName } from '../contract/events.ts';
import type { Range } from '../contract/units.ts';
import { ApiFailure } from './api-failure.ts';
import type { JobPages } from './job-pages.ts';
import type { Watch } from './watch.ts';

/** A browser reconnects after this time. */
const RETRY_MS = 2_000;
/** Something is sent at least this often: proxies close silent connections, and a closed browser is detected. */
const HEARTBEAT_MS = 15_000;
const HISTORY_EVERY_MS = 10_000;
/** Unread events after which a browser gets no more until it reads. The next snapshot is complete. */
const MAX_UNREAD = 8;
const MAX_STREAMS = 200;

export type StreamOptions = { range: Range; job: string | undefined };

/** The event streams of all open pages, fed by one watch. */
export class EventStreams {
  readonly #watch: Watch;
  readonly #pages: JobPages;
  readonly #open = new Set<Stream>();
  #nextId = 1;

  constructor(watch: Watch, pages: JobPages) {
    this.#watch = watch;
    this.#pages = pages;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @throws {ApiFailure} busy */
  open(options: StreamOptions): ReadableStream<Uint8Array> {
    if (this.#open.size >= MAX_STREAMS)
      throw new ApiFailure('busy', `${MAX_STREAMS} pages are open: close some of them`);
    const stream = new Stream({ ...options, watch: this.#watch, pages: this.#pages, nextId: () => this.#nextId++ });
    this.#open.add(stream);
    return stream.start(() => this.#open.delete(stream));
  }

  /** Sends updates of a job to all streams. */
  refresh(): void {
    for (const stream of this.#open) stream.send();
  }

  /** Ends all streams. */
  close(): void {
    for (const stream of this.#open) stream.end();
  }
}

type Of = StreamOptions & { watch: Watch; pages: JobPages; nextId: () => number };

class Stream {
  readonly #of: Of;
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #onEnd: () => void = () => {};
  #leave: () => void = () => {};
  #heartbeat: NodeJS.Timeout | undefined;
  #sentSnapshot: unknown;
  #sentJob = '';
  #historyAt = Number.NEGATIVE_INFINITY;
  /** Whether all jobs were known at that time. */
  #isHistoryWhole = false;

  constructor(of: Of) {
    this.#of = of;
  }

  /** @param onEnd called once, when the browser has gone or the server ends it */
  start(onEnd: () => void): ReadableStream<Uint8Array> {
    this.#onEnd = onEnd;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          this.#write(`retry: ${RETRY_MS}\n\n`);
          const { watch, job } = this.#of;
          this.#leave = watch.join({ ...(job !== undefined && { job }), onLook: () => this.send() });
          this.#heartbeat = setInterval(() => this.#write(': still here\n\n'), HEARTBEAT_MS);
          this.#heartbeat.unref();
          this.send();
        },
        cancel: () => this.#left(),
      },
      { highWaterMark: MAX_UNREAD },
    );
  }

  /** Sends what has changed since the last call. */
  send(): void {
    const { watch } = this.#of;
    const { snapshot } = watch;
    if (snapshot === undefined || !this.#isReading()) return;
    if (snapshot !== this.#sentSnapshot) {
      this.#sentSnapshot = snapshot;
      this.#event('snapshot', snapshot);
    }
    this.#sendJob();
    this.#sendHistory();
  }

  end(): void {
    if (this.#controller === undefined) return;
    this.#controller.close();
    this.#left();
  }

  #left(): void {
    this.#controller = undefined;
    clearInterval(this.#heartbeat);
    this.#leave();
    this.#onEnd();
  }

  #isReading(): boolean {
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  #sendJob(): void {
    const { job, pages, watch } = this.#of;
    if (job === undefined) return;
    const detail = pages.detail(job);
    // An unknown job may not have been polled yet: wait until S3 has answered.
    if (detail === undefined && watch.snapshot?.connections.s3.state !== 'connected') return;
    const text = JSON.stringify(detail ?? { job });
    if (text === this.#sentJob) return;
    this.#sentJob = text;
    if (detail === undefined) this.#event('job-missing', { job });
    else this.#event('job', detail);
  }

  #sendHistory(): void {
    const now = performance.now();
    const { watch, range } = this.#of;
    // The first poll finds jobs one after the other: their images must not be missing from the history for ten seconds.
    const isWhole = watch.snapshot?.connections.s3.state === 'connected';
    if (isWhole === this.#isHistoryWhole && now - this.#historyAt < HISTORY_EVERY_MS) return;
    this.#historyAt = now;
    this.#isHistoryWhole = isWhole;
    watch.history(range).then(
      (history) => {
        if (this.#isReading()) this.#event('history', history);
      },
      () => {
        this.#historyAt = Number.NEGATIVE_INFINITY;
      },
    );
  }

  #event<Name extends keyof EventsByName>(name: Name, data: EventsByName[Name]): void {
    const id = name === 'snapshot' ? `id: ${this.#of.nextId()}\n` : '';
    this.#write(`event: ${name}\n${id}data: ${JSON.stringify(data)}\n\n`);
  }

  #write(text: string): void {
    // null once the stream has failed.
    if (this.#controller?.desiredSize === null) this.#left();
    else this.#controller?.enqueue(this.#encoder.encode(text));
  }
}
