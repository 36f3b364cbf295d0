import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What a client asked for: `GET` is left out, header names are in lower case. */
export type RawRequest = {
  path: string;
  headers: ReadonlyMap<string, string>;
  /** How many requests came over this connection, this one included. */
  nth: number;
  socket: Socket;
};

/** A server that sends whatever bytes a test wants: those that no HTTP library can be made to send. */
export type RawServer = AsyncDisposable & {
  host: string;
  port: number;
  url(path: string): string;
  /** Of all requests so far. */
  paths: string[];
  connections(): number;
};

/** @param answer the bytes of an answer; undefined to send none. The connection stays open unless the answer ends it. */
export async function startRawServer(
  answer: (request: RawRequest) => Buffer | string | undefined,
  address = '127.0.0.1',
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const paths: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    let received = '';
    let nth = 0;
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
        const request = { ...parse(received.slice(0, end)), nth: ++nth, socket };
        received = received.slice(end + 4);
        paths.push(request.path);
        const bytes = answer(request);
        if (bytes !== undefined) socket.write(bytes);
      }
    });
  });
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = `${address}:${port}`;
  return {
    host,
    port,
    url: (path) => `http://${host}${path}`,
    paths,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function parse(head: string): { path: string; headers: Map<string, string> } {
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { path: first.split(' ')[1] ?? '', headers: new Map(headers) };
}

/** An answer with these header lines ahead of the body; its length is added, in bytes. */
export function rawAnswer(body: Buffer | string, ...headers: (Buffer | string)[]): Buffer {
  return rawAnswerOf('200 OK', body, ...headers);
}

export function rawAnswerOf(status: string, body: Buffer | string, ...headers: (Buffer | string)[]): Buffer {
  const bytes = Buffer.from(body);
  const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${bytes.length}`, '', ''];
  const head = lines.flatMap((line) => [Buffer.from(line), Buffer.from('\r\n')]).slice(0, -1);
  return Buffer.concat([...head, bytes]);
}
