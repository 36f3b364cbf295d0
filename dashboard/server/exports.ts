import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import type { Format } from '../../shared/jobs/export-formats.ts';
import { ApiFailure } from './api-failure.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

export type Export = { job: string; kind: PartKind; format: Format };

/**
 * Makes the file that `labelqueue results` and `failures` make. The file exists until the stream is read to its end or
 * destroyed.
 */
export type ExportOutcomes = (request: Export) => Promise<{ bytes: number; content: Readable }>;

const TYPES: Record<Format, string> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

/** A download that has just ended still has to remove its files. */
const PATIENCE_MS = 1_000;
/** A download that is not read for this time ends, because others wait. */
const MAX_IDLE_MS = 60_000;

/** Downloads, one at a time: each reads all files of a job into a database on disk. */
export class Exports {
  readonly #make: ExportOutcomes;
  readonly #maxIdleMs: number;
  /** Settles when the current download ends. */
  #running: Promise<void> | undefined;

  /** @param maxIdleMs milliseconds without reading after which a download ends */
  constructor(make: ExportOutcomes, maxIdleMs = MAX_IDLE_MS) {
    this.#make = make;
    this.#maxIdleMs = maxIdleMs;
  }

  /**
   * @param cut closes the connection of a stalled reader, and with it the response
   * @throws {ApiFailure} busy
   */
  async response(request: Export, cut: () => void): Promise<Response> {
    const finish = await this.#begin();
    const { bytes, content } = await this.#make(request).catch((error: unknown) => {
      finish();
      throw error;
    });
    content.once('close', finish);
    const { job, kind, format } = request;
    const body = Readable.toWeb(content) as ReadableStream<Uint8Array>;
    cutWhenIdle(content, cut, this.#maxIdleMs);
    return new Response(body, {
      headers: {
        ...SECURITY_HEADERS,
        'content-type': TYPES[format],
        'content-length': String(bytes),
        // Job names need no escaping.
        'content-disposition': `attachment; filename="${job}.${kind}.${format}"`,
        'cache-control': 'no-store, no-transform',
      },
    });
  }

  /** @returns marks it as ended */
  async #begin(): Promise<() => void> {
    if (this.#running !== undefined) await Promise.race([this.#running, delay(PATIENCE_MS, undefined, { ref: false })]);
    if (this.#running !== undefined) {
      throw new ApiFailure('busy', 'another download is in progress: try again when it has finished');
    }
    const ended = Promise.withResolvers<void>();
    this.#running = ended.promise;
    return () => {
      this.#running = undefined;
      ended.resolve();
    };
  }
}

/** @param content whose flow is already controlled: another listener does not change that */
function cutWhenIdle(content: Readable, cut: () => void, maxIdleMs: number): void {
  const idle = setTimeout(cut, maxIdleMs).unref();
  content.on('data', () => idle.refresh());
  content.once('close', () => clearTimeout(idle));
}
