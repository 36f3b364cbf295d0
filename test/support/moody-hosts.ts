import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { greyPng } from '../classifier/pictures.ts';

const PICTURE = greyPng(8, 8, Buffer.alloc(8 * (1 + 8)));
const DRIP_EVERY_MS = 100;

/** What a server does once it has read a request; `hang`: nothing, `stall`: headers only, `drip`: a byte now and then. */
export type Mood = 'answer' | 'hang' | 'stall' | 'drip';

/** Servers on ports of their own, with a picture at every path, that can stop answering and begin again. */
export type MoodyHosts = AsyncDisposable & {
  /** `host:port` of each. */
  hosts: string[];
  mood: Mood;
  /** The paths that were asked for, at whatever host, in order. */
  requests: string[];
  /** `<prefix>-<number>`, in turns of the hosts. */
  images(prefix: string, count: number): { id: string; url: string }[];
};

export async function startMoodyHosts(count: number, mood: Mood): Promise<MoodyHosts> {
  const servers = await Promise.all(Array.from({ length: count }, startServer));
  const moody: MoodyHosts = {
    hosts: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
    mood,
    requests: [],
    images: (prefix, images) =>
      Array.from({ length: images }, (_, number) => ({
        id: `${prefix}-${number}`,
        url: `http://${moody.hosts[number % count]}/${prefix}-${number}`,
      })),
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
  for (const server of servers) {
    server.on('request', ({ url = '' }, response) => {
      moody.requests.push(url.slice(1));
      ANSWERS[moody.mood](response);
    });
  }
  return moody;
}

async function startServer() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const ANSWERS: Record<Mood, (response: ServerResponse) => void> = {
  answer: (response) => void response.end(PICTURE),
  hang() {},
  stall: (response) => void response.writeHead(200, { 'content-length': PICTURE.length }).flushHeaders(),
  drip(response) {
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), DRIP_EVERY_MS).unref();
    response.once('close', () => clearInterval(timer));
  },
};
