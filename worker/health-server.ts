import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopbackName, parseHost } from '../shared/contract/web-origin.ts';

/** What the health server answers with. */
export type HealthOptions = {
  /** 0 for any free port. */
  port: number;
  host: string;
  /** Whether it is ready: a process is ready, SQS responds, and the loop is not draining. */
  isReady: () => boolean;
  metrics: () => Promise<string>;
};

/** A running health server. */
export type HealthServer = AsyncDisposable & { address: string };

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** Probes take far less; a slower client only occupies a socket. */
const REQUEST_TIMEOUT_MS = 10_000;
const NOT_THIS_MACHINE = 'expected the Host of this machine\n';
const MAX_CONNECTIONS = 64;

/** Serves `/healthz`, `/readyz` and `/metrics`. @throws when the port is in use or the address is not one of this machine */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const { port, host } = options;
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      const { address = '' } = (server.address() as AddressInfo | null) ?? {};
      if (isLoopbackAddress(address) && !isOfThisMachine(request)) return send(response, 421, NOT_THIS_MACHINE);
      void answer(request, response, options).catch(() => response.destroy());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, port, host);
  const { address, family, port: actual } = server.address() as AddressInfo;
  return {
    address: `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** By the actual address of the server: the option may be a name, or any loopback address. */
function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

/** Against DNS rebinding: a web page whose name resolves to this machine must not read the metrics. */
function isOfThisMachine({ headers }: IncomingMessage): boolean {
  const name = parseHost(headers.host)?.name ?? '';
  return isLoopbackName(name) || name.startsWith('[') || /^127(?:\.\d{1,3}){3}$/.test(name);
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HealthOptions): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, 'expected GET\n');
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/healthz':
      return send(response, 200, 'ok\n');
    case '/readyz':
      return options.isReady() ? send(response, 200, 'ready\n') : send(response, 503, 'not ready\n');
    case '/metrics':
      return send(response, 200, await options.metrics(), METRICS_TYPE);
    default:
      return send(response, 404, 'there are /healthz, /readyz and /metrics\n');
  }
}

function send(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
