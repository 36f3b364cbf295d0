import { Readable } from 'node:stream';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import type { Format } from '../../shared/jobs/outcomes/export-formats.ts';
import { ApiFailure } from './api-failure.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

export type Export = { job: string; kind: PartKind; format: Format };

/**
 * Makes the file that `labelqueue results` and `failures` make. The file is there as long as the stream is neither read to its
 * end nor destroyed.
 */
export type ExportOutcomes = (wanted: Export) => Promise<{ bytes: number; content: Readable }>;

const TYPES: Record<Format, string> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

/** Downloads, one at a time: each reads all files of a job into a database on disk. */
export class Exports {
  readonly #make: ExportOutcomes;
  #isBusy = false;

  constructor(make: ExportOutcomes) {
    this.#make = make;
  }

  /** @throws {ApiFailure} busy */
  async response(wanted: Export): Promise<Response> {
    if (this.#isBusy) throw new ApiFailure('busy', 'another download is being made: try again when it has come');
    this.#isBusy = true;
    const { bytes, content } = await this.#make(wanted).catch((error: unknown) => {
      this.#isBusy = false;
      throw error;
    });
    content.once('close', () => {
      this.#isBusy = false;
    });
    const { job, kind, format } = wanted;
    return new Response(Readable.toWeb(content) as ReadableStream<Uint8Array>, {
      headers: {
        ...SECURITY_HEADERS,
        'content-type': TYPES[format],
        'content-length': String(bytes),
        // A job's name is of plain characters.
        'content-disposition': `attachment; filename="${job}.${kind}.${format}"`,
        'cache-control': 'no-store, no-transform',
      },
    });
  }
}
