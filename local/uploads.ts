import type { IncomingMessage } from 'node:http';
import {
  LOCAL_API_UPLOAD_BYTES_AT_ONCE,
  LOCAL_API_UPLOADS_AT_ONCE,
  MAX_GATEWAY_BODY_BYTES,
} from '../shared/contract/limits.ts';

/** Why a body is missing, as a problem code of the API. */
export type BodyProblem = 'body_too_large' | 'upload_timeout' | 'too_many_uploads';

export type UploadLimits = {
  /** Bodies that arrive at once. */
  atOnce: number;
  /** Total size of all bodies that arrive or wait. */
  bytes: number;
  /** The longest time without a byte. */
  stallMs: number;
  /** The longest time for a whole body: API Gateway's own timeout. */
  wholeMs: number;
};

export const UPLOAD_LIMITS: UploadLimits = {
  atOnce: LOCAL_API_UPLOADS_AT_ONCE,
  bytes: LOCAL_API_UPLOAD_BYTES_AT_ONCE,
  stallMs: 10_000,
  wholeMs: 30_000,
};

/** A request's body; disposed of once the request is answered, so that its bytes count until then. */
export type Upload = Disposable & { body(): Promise<Buffer | BodyProblem> };

/** Bounds what bodies cost in connections, memory and time. */
export class Uploads {
  readonly #limits: UploadLimits;
  readonly #arriving = new Set<Arrival>();
  #bytes = 0;

  constructor(limits: Partial<UploadLimits> = {}) {
    this.#limits = { ...UPLOAD_LIMITS, ...limits };
  }

  begin(request: IncomingMessage): Upload {
    const held = { bytes: 0 };
    return {
      body: () => (hasBody(request) ? this.#receive(request, held) : Promise.resolve(Buffer.alloc(0))),
      [Symbol.dispose]: () => {
        this.#bytes -= held.bytes;
      },
    };
  }

  async #receive(request: IncomingMessage, held: { bytes: number }): Promise<Buffer | BodyProblem> {
    if (this.#arriving.size >= this.#limits.atOnce && !this.#giveUpStalled()) return 'too_many_uploads';
    const arrival = new Arrival(request, this.#limits, (bytes) => {
      this.#bytes += bytes;
      held.bytes += bytes;
      return this.#bytes <= this.#limits.bytes;
    });
    this.#arriving.add(arrival);
    try {
      return await arrival.body;
    } finally {
      this.#arriving.delete(arrival);
    }
  }

  /** Ends the body that has been silent for longest, if it counts as stalled. */
  #giveUpStalled(): boolean {
    const [stalest] = [...this.#arriving].toSorted((one, other) => one.lastByteAt - other.lastByteAt);
    if (stalest === undefined || Date.now() - stalest.lastByteAt < this.#limits.stallMs / 10) return false;
    stalest.giveUp('upload_timeout');
    this.#arriving.delete(stalest);
    return true;
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * A body that is arriving. A body that is too large is still read to its end, so that the client reads the response.
 */
class Arrival {
  readonly body: Promise<Buffer | BodyProblem>;
  lastByteAt = Date.now();
  /** Ends the wait for the body; the first reason holds. */
  readonly giveUp: (problem: BodyProblem) => void;

  /** @param takes counts bytes, and returns whether they are within the limit */
  constructor(request: IncomingMessage, { stallMs, wholeMs }: UploadLimits, takes: (bytes: number) => boolean) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | BodyProblem>();
    this.giveUp = resolve;
    let chunks: Buffer[] = [];
    let bytes = 0;
    const stall = setTimeout(resolve, stallMs, 'upload_timeout');
    const whole = setTimeout(resolve, wholeMs, 'upload_timeout');
    const take = (chunk: Buffer) => {
      stall.refresh();
      this.lastByteAt = Date.now();
      bytes += chunk.length;
      if (bytes > MAX_GATEWAY_BODY_BYTES) chunks = [];
      else if (takes(chunk.length)) chunks.push(chunk);
      else resolve('too_many_uploads');
    };
    request.on('data', take);
    request.once('end', () =>
      resolve(bytes <= MAX_GATEWAY_BODY_BYTES ? Buffer.concat(chunks, bytes) : 'body_too_large'),
    );
    request.once('error', reject);
    request.once('close', () => reject(new Error('the client disconnected')));
    this.body = promise.finally(() => {
      clearTimeout(stall);
      clearTimeout(whole);
      request.off('data', take);
    });
  }
}
