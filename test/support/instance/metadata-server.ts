import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** EC2's instance metadata, version 2 alone. */
export type MetadataServer = AsyncDisposable & {
  endpoint: string;
  /** What is there, by its path below `meta-data/`; all else is not. */
  documents: Map<string, string>;
};

const TOKEN = 'token-of-a-test';

/** Starts it on loopback. */
export async function startMetadataServer(): Promise<MetadataServer> {
  const documents = new Map<string, string>();
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request;
    if (method === 'PUT' && url === '/latest/api/token') return void response.end(TOKEN);
    if (headers['x-aws-ec2-metadata-token'] !== TOKEN) return void response.writeHead(401).end();
    const document = documents.get(url.replace('/latest/meta-data/', ''));
    response.writeHead(document === undefined ? 404 : 200).end(document);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    documents,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
