import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { greyPng } from '../classifier/pictures.ts';

const PICTURE = greyPng(8, 8, Buffer.alloc(8 * (1 + 8)));
const DRIP_EVERY_MS = 100;

/** What a server does once it has read a request; `hang`: nothing, `stall`: headers only, `drip`: a byte now and then. */
export type Behaviour = 'answer' | 'hang' | 'stall' | 'drip';

/** Servers on ports of their own, with a picture at every path, that can stop answering and begin again. */
export type SwitchableHosts = AsyncDisposable & {
  /** `host:port` of each. */
  hosts: string[];
  behaviour: Behaviour;
  /** The paths that were asked for, at whatever host, in order. */
  requests: string[];
  /** `<prefix>-<number>`, in turns of the hosts. */
  images(prefix: string, count: number): { id: string; url: string }[];
};

export async function startSwitchableHosts(count: number, behaviour: Behaviour): Promise<SwitchableHosts> {
  const servers = await Promise.all(Array.from({ length: count }, startServer));
  const switchable: SwitchableHosts = {
    hosts: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
    behaviour,
    requests: [],
    images: (prefix, images) =>
      Array.from({ length: images }, (_, number) => ({
        id: `${prefix}-${number}`,
        url: `http://${switchable.hosts[number % count]}/${prefix}-${number}`,
      })),
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
  for (const server of servers) {
    server.on('request', ({ url = '' }, response) => {
      switchable.requests.push(url.slice(1));
      ANSWERS[switchable.behaviour](response);
    });
  }
  return switchable;
}

async function startServer() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const ANSWERS: Record<Behaviour, (response: ServerResponse) => void> = {
  answer: (response) => void response.end(PICTURE),
  hang() {},
  stall: (response) => void response.writeHead(200, { 'content-length': PICTURE.length }).flushHeaders(),
  drip(response) {
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), DRIP_EVERY_MS).unref();
    response.once('close', () => clearInterval(timer));
  },
};
