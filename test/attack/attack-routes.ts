import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Route, Routes, Visit } from '../../testkit/image-server.ts';
import { FORMATS, ODDITIES, photo, SPOILED } from './hostile-images.ts';

/** Bytes that are sent, by their name. */
export type Bodies = ReadonlyMap<string, Buffer>;

/** @param names of those that are needed: the larger ones take seconds to make */
export async function makeBodies(names: readonly string[]): Promise<Bodies> {
  const bodies = new Map<string, Buffer>();
  for (const name of names) bodies.set(name, await makeBody(name));
  return bodies;
}

/** @param name a format's for its photo, `<spoiled>-<format>`, or that of an oddity */
async function makeBody(name: string): Promise<Buffer> {
  const oddity = Object.entries(ODDITIES).find(([known]) => known === name);
  if (oddity !== undefined) return oddity[1]();
  const format = FORMATS.find((known) => name === known || name.endsWith(`-${known}`));
  if (format === undefined) throw new Error(`expected the name of a body, got ${name}`);
  const spoiled = Object.entries(SPOILED).find(([known]) => name === `${known}-${format}`);
  return spoiled === undefined ? photo(format) : spoiled[1](format);
}

/** Between two pieces of what comes slowly. */
const DRIP_MS = 1_000;
/** More than undici would keep a connection for by itself. */
const KEEP_ALIVE = { 'keep-alive': 'timeout=602, max=1000', connection: 'keep-alive' };

/** What a server of this folder does beside those of `image-server.ts`; the second part of each path names the body. */
export function attackRoutes(bodies: Bodies): Routes {
  const bodyOf = ({ rest: [name = ''] }: Visit): Buffer => {
    const body = bodies.get(name);
    if (body === undefined) throw new Error(`expected the name of a body in the path, got ${name}`);
    return body;
  };
  const sends = (headers: Record<string, string | string[]>, status = 200): Route => {
    return (visit) => sendWhole(visit, bodyOf(visit), headers, status);
  };
  const raw = (head: (body: Buffer) => string): Route => {
    return (visit) => sendRaw(visit, bodyOf(visit), head);
  };
  return {
    plain: sends({}),
    'keep-open': sends(KEEP_ALIVE),
    'other-type': sends({ 'content-type': 'text/html; charset=utf-7' }),
    cookies: sends({ 'set-cookie': Array.from({ length: 50 }, (_, index) => `c${index}=${'x'.repeat(50)}; Path=/`) }),

    /** `/encoded-as/<body>/<key>?encoding=…`: says that the body is encoded so, and sends it as it is. */
    'encoded-as': (visit) => {
      sendWhole(visit, bodyOf(visit), { 'content-encoding': visit.query.get('encoding') ?? '' });
    },

    /** The body comes a byte per second. */
    'drip-body': async (visit) => {
      const body = bodyOf(visit);
      visit.response.writeHead(200, { 'content-length': body.length }).flushHeaders();
      await drip(visit.response.socket, body, 1);
    },

    /** A header line per second, for ever. */
    'drip-headers': async ({ response }) => {
      response.socket?.write('HTTP/1.1 200 OK\r\n');
      await drip(response.socket, Buffer.from('x-more: and more\r\n'.repeat(10_000)), 18);
    },

    /** A first answer that says that another will come, again and again. */
    'early-hints': async ({ response: { socket } }) => {
      while (socket?.writable) {
        socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
        await delay(20, undefined, { ref: false });
      }
    },

    /** Half of the body, then the connection ends in order. */
    'half-sent': (visit) => {
      const body = bodyOf(visit);
      visit.response.writeHead(200, { 'content-length': body.length });
      visit.response.write(body.subarray(0, body.length / 2), () => visit.response.socket?.end());
    },

    'two-lengths': raw(({ length }) => `Content-Length: ${length}\r\nContent-Length: ${length + 1}`),
    'length-below-zero': raw(() => 'Content-Length: -1'),
    'length-and-chunks': raw(({ length }) => `Content-Length: ${length}\r\nTransfer-Encoding: chunked`),
    'a-nul-in-a-header': raw(({ length }) => `Content-Length: ${length}\r\nX-A: b\0c`),
    'many-headers': raw(({ length }) => `Content-Length: ${length}\r\n${'x-a: b\r\n'.repeat(5_000)}x-end: 1`),
    'too-many-headers': raw(({ length }) => `Content-Length: ${length}\r\n${'x-a: b\r\n'.repeat(20_000)}x-end: 1`),
  };
}

function sendWhole({ response }: Visit, body: Buffer, headers: Record<string, string | string[]>, status = 200): void {
  response.writeHead(status, { 'content-type': 'image/jpeg', 'content-length': body.length, ...headers }).end(body);
}

/** An answer that no HTTP library would write. */
function sendRaw({ response: { socket } }: Visit, body: Buffer, head: (body: Buffer) => string): void {
  socket?.write(`HTTP/1.1 200 OK\r\n${head(body)}\r\n\r\n`);
  socket?.end(body);
}

async function drip(socket: Socket | null, bytes: Buffer, atOnce: number): Promise<void> {
  for (let sent = 0; socket?.writable && sent < bytes.length; sent += atOnce) {
    socket.write(bytes.subarray(sent, sent + atOnce));
    await delay(DRIP_MS, undefined, { ref: false });
  }
}
