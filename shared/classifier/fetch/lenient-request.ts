import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { HttpResponse } from './http-client.ts';
import { tidyHead } from './lenient-head.ts';

/** Maximum number of head bytes; a longer head is malformed. */
const MAX_HEAD_BYTES = 64 * 1_024;

type Get = { url: URL; headers: Record<string, string>; signal: AbortSignal };
type Connect = (callback: (error: Error | null, socket: Socket | null) => void) => void;

/**
 * One GET with headers parsed as browsers and curl do: names followed by spaces, control characters, lines that are not headers,
 * a repeated Content-Length. Lenient parsing allows response splitting on shared connections; this connection serves a single
 * request and is then closed.
 *
 * @param connect opens the connection, and enforces the address rules
 */
export async function requestLeniently({ url, headers, signal }: Get, connect: Connect): Promise<HttpResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { pathname, search, host } = url;
  const outgoing = request({
    path: `${pathname}${search}`,
    headers: { ...headers, host, connection: 'close' },
    signal,
    // No agent: with one, even with `agent: false`, Node would connect by itself and bypass the address rules.
    insecureHTTPParser: true,
    maxHeaderSize: MAX_HEAD_BYTES,
    createConnection: (_options, oncreate) => {
      connect((error, socket) => oncreate(error, (socket === null ? undefined : new TidySocket(socket)) as Duplex));
      return undefined;
    },
  });
  outgoing.on('error', reject).once('response', (answer) => {
    // Only the request gets the reason when the parser rejects a body, even within the same tick.
    outgoing.on('error', (error) => answer.destroy(error));
    resolve(answer);
  });
  outgoing.end();
  const body = await promise;
  return { statusCode: body.statusCode as number, headers: body.headers, body };
}

/** A socket that normalizes the head of the response before passing it on. */
class TidySocket extends Duplex {
  readonly #socket: Socket;
  #head: Buffer | undefined = Buffer.alloc(0);
  #ended = false;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.#close());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #receive(chunk: Buffer): void {
    if (this.#head === undefined) {
      this.#pass(chunk);
      return;
    }
    this.#head = Buffer.concat([this.#head, chunk]);
    // Only after a line feed can a head be complete: searching after every byte would take quadratic time.
    const tidied = chunk.includes('\n') ? tidyHead(this.#head) : undefined;
    if (tidied === undefined && this.#head.length <= MAX_HEAD_BYTES) return;
    this.#pass(tidied ?? this.#head);
    this.#head = undefined;
  }

  #pass(bytes: Buffer): void {
    if (!this.push(bytes)) this.#socket.pause();
  }

  /** After `end`, bytes may remain to be read. */
  #close(): void {
    if (!this.#ended) this.destroy(Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' }));
  }

  #end(): void {
    this.#ended = true;
    if (this.#head !== undefined) this.push(this.#head);
    this.#head = undefined;
    this.push(null);
  }
}
