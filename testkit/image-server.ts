import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

const PHOTOS = join(import.meta.dirname, '../samples/photos');
const DEFAULT_PHOTO = 'coffee.jpg';
const MB = 1_000_000;

/** A photo server that can misbehave like servers on the web: `ROUTES` has what it does at which path. */
export type ImageServer = AsyncDisposable & {
  /** `host:port`, as the setting ALLOWED_HOSTS wants it. */
  host: string;
  port: number;
  /** The address of a path, which starts with a slash. */
  url(path: string): string;
  /** How often a path was requested, with any query. */
  requests(path: string): number;
  /** How often anything was requested. */
  totalRequests(): number;
  close(): Promise<void>;
};

/**
 * @param address of the interface to listen on; a free port of it is taken
 * @param more routes beside those of `ROUTES`
 */
export async function startImageServer(address = '127.0.0.1', more: Routes = {}): Promise<ImageServer> {
  const seen = new Map<string, number>();
  const server = createServer(async (request, response) => {
    try {
      const visit = visitOf(request, response, seen);
      await (more[visit.route] ?? ROUTES[visit.route] ?? notFound)(visit);
    } catch (error) {
      // Clients may disconnect; anything else is a defect of this server.
      if (!response.destroyed) response.destroy(error as Error);
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  const host = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    host,
    port,
    url: (path) => `http://${host}${path}`,
    requests: (path) => seen.get(path) ?? 0,
    totalRequests: () => [...seen.values()].reduce((sum, times) => sum + times, 0),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** One request, taken apart: `/once/503/a?photo=b.jpg` is the route `once` with the rest `503`, `a`. */
export type Visit = {
  route: string;
  rest: string[];
  query: URLSearchParams;
  /** How often this path was asked for, this time included. */
  times: number;
  response: ServerResponse;
};

export type Route = (visit: Visit) => Promise<void> | void;

/** By the first part of the path. */
export type Routes = Record<string, Route>;

function visitOf({ url = '/', headers }: IncomingMessage, response: ServerResponse, seen: Map<string, number>): Visit {
  const { pathname, searchParams } = new URL(url, `http://${headers.host}`);
  const times = (seen.get(pathname) ?? 0) + 1;
  seen.set(pathname, times);
  const [route = '', ...rest] = pathname.slice(1).split('/').map(decodeURIComponent);
  return { route, rest, query: searchParams, times, response };
}

/**
 * By the first part of the path. Every route ignores what follows the parts that it knows, so that
 * any number of different URLs lead to it; where a photo is sent, `?photo=` says which.
 */
const ROUTES: Routes = {
  /** `/photos/<file>` */
  photos: ({ rest: [file = ''], response }) => sendPhoto(response, file),

  /** `/status/<code>?retry-after=<value>`: that status, always. */
  status: ({ rest: [code], query, response }) => {
    const retryAfter = query.get('retry-after');
    response.writeHead(Number(code), retryAfter === null ? {} : { 'retry-after': retryAfter }).end();
  },

  /** `/once/<code>/<key>`: that status once, then the photo. */
  once: (visit) => (visit.times === 1 ? ROUTES['status']?.(visit) : sendPhoto(visit.response, photoOf(visit))),

  /** The connection is reset at once; `?after=headers`: in the middle of the answer. */
  reset: async ({ query, response }) => {
    if (query.get('after') === 'headers') await flushStart(response, { 'content-length': '100000' });
    response.socket?.resetAndDestroy();
  },

  /** Never answers. */
  hang: () => {},

  /** The headers come and the body never does. */
  stall: ({ response }) => flushStart(response, { 'content-length': '100000' }),

  /** A byte every 200 ms, for ever. */
  drip: async ({ response }) => {
    response.writeHead(200, JPEG);
    while (response.writable) {
      response.write('.');
      await delay(200, undefined, { ref: false });
    }
  },

  /** A photo with the content type of text: content decides. */
  'wrong-type': (visit) => sendPhoto(visit.response, photoOf(visit), { 'content-type': 'text/plain' }),

  /** The connection ends before the number of bytes in Content-Length. */
  truncated: async (visit) => {
    const photo = await readPhoto(photoOf(visit));
    visit.response.writeHead(200, { ...JPEG, 'content-length': photo.length });
    visit.response.write(photo.subarray(0, photo.length / 2), () => visit.response.socket?.end());
  },

  /** Half of a photo, in an answer that is complete. */
  'half-photo': async (visit) => {
    const photo = await readPhoto(photoOf(visit));
    send(visit.response, photo.subarray(0, photo.length / 2));
  },

  /** `/redirect/<n>`: leads to the photo after n redirects. */
  redirect: (visit) => {
    const left = Number(visit.rest[0]);
    if (left === 0) return sendPhoto(visit.response, photoOf(visit));
    return redirect(visit.response, [`/redirect/${left - 1}`, ...visit.rest.slice(1)].join('/'));
  },

  'redirect-loop': ({ response }) => redirect(response, '/redirect-loop'),

  /** `/redirect-to?url=<url>&status=<code>` */
  'redirect-to': ({ query, response }) =>
    redirect(response, query.get('url') ?? '', Number(query.get('status') ?? '302')),

  /** 30 MB, announced; `?announced=no`: in chunks. */
  large: ({ query, response }) => {
    if (query.get('announced') !== 'no') return send(response, Buffer.alloc(30 * MB));
    return sendForever(response, 30 * MB);
  },

  endless: ({ response }) => sendForever(response, Number.POSITIVE_INFINITY),

  /** A compressed photo, although the request did not accept it. */
  gzip: async (visit) => send(visit.response, gzipSync(await readPhoto(photoOf(visit))), GZIP),

  /** 25 kB that become 25 MB. */
  'gzip-bomb': ({ response }) => send(response, gzipBomb(), GZIP),

  /** Content-Encoding without compressed content. */
  'not-gzip': (visit) => sendPhoto(visit.response, photoOf(visit), GZIP),

  /** Compressed, and cut off, in an answer that is complete. */
  'half-gzip': async (visit) => {
    const zipped = gzipSync(await readPhoto(photoOf(visit)));
    send(visit.response, zipped.subarray(0, zipped.length / 2), GZIP);
  },

  /** An unknown content encoding. */
  'strange-encoding': (visit) => sendPhoto(visit.response, photoOf(visit), { 'content-encoding': 'zip' }),

  /** An answer that is not HTTP. */
  gibberish: ({ response }) => void response.socket?.end('GET LOST\r\n\r\n'),

  /** A chunk whose length is not a number. */
  'bad-chunk': ({ response }) =>
    void response.socket?.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n'),

  /** More header than any client takes. */
  'huge-header': (visit) => sendPhoto(visit.response, photoOf(visit), { 'x-padding': '.'.repeat(100_000) }),

  /** 200 and no bytes. */
  empty: ({ response }) => send(response, Buffer.alloc(0)),

  /** A page in place of a photo, as for many expired links. */
  page: ({ response }) => send(response, Buffer.from('<!doctype html><title>Not here</title>')),
};

const JPEG = { 'content-type': 'image/jpeg' };
const GZIP = { 'content-encoding': 'gzip' };

function photoOf({ query }: Visit): string {
  return query.get('photo') ?? DEFAULT_PHOTO;
}

function readPhoto(file: string): Promise<Buffer> {
  return readFile(join(PHOTOS, basename(file)));
}

async function sendPhoto(response: ServerResponse, file: string, headers: Record<string, string> = {}): Promise<void> {
  const photo = await readPhoto(file).catch(() => undefined);
  if (photo === undefined) notFound({ response });
  else send(response, photo, headers);
}

function send(response: ServerResponse, body: Buffer, headers: Record<string, string> = {}): void {
  response.writeHead(200, { ...JPEG, 'content-length': body.length, ...headers }).end(body);
}

function notFound({ response }: Pick<Visit, 'response'>): void {
  response.writeHead(404).end();
}

function redirect(response: ServerResponse, location: string, status = 302): void {
  response.writeHead(status, { location }).end();
}

/** Sends the headers and a first piece of the body, and leaves the answer open. */
function flushStart(response: ServerResponse, headers: Record<string, string>): Promise<void> {
  response.writeHead(200, { ...JPEG, ...headers });
  return new Promise((resolve) => response.write('.', () => resolve()));
}

function sendForever(response: ServerResponse, bytes: number): Promise<void> {
  response.writeHead(200, JPEG);
  return pipeline(chunks(bytes), response);
}

function* chunks(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, '.');
  for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
}

let bomb: Buffer | undefined;
function gzipBomb(): Buffer {
  bomb ??= gzipSync(Buffer.alloc(25 * MB));
  return bomb;
}
