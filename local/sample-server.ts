import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { isFromAnotherOrigin, isLoopbackName, parseHost } from '../shared/contract/web-origin.ts';

/** The photo that `unavailable/once.jpg` returns at the second request. */
const ONCE_UNAVAILABLE_PHOTO = 'photos/coffee.jpg';

export type SampleServer = {
  /** Ends with a slash; relative URLs of a manifest are resolved against it. */
  baseUrl: URL;
  close(): Promise<void>;
};

/**
 * Serves a folder of samples on loopback, with two routes that misbehave:
 * `unavailable/always.jpg` answers 503 forever, `unavailable/once.jpg` 503 once and then a photo.
 */
export async function startSampleServer(folder: string): Promise<SampleServer> {
  const server = createServer(sampleRoutes(folder));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: new URL(`http://127.0.0.1:${port}/`),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sampleRoutes(folder: string): RequestListener {
  let onceAsked = false;
  return ({ headers, url = '/' }, response) => {
    const { name = '' } = parseHost(headers.host) ?? {};
    if (!isLoopbackName(name) || isFromAnotherOrigin(headers)) return void response.writeHead(403).end();
    const path = pathOf(url);
    if (path === undefined) return void response.writeHead(400).end();
    if (path === '/unavailable/always.jpg') return unavailable(response);
    if (path === '/unavailable/once.jpg') {
      if (onceAsked) return void sendFile(join(folder, ONCE_UNAVAILABLE_PHOTO), response);
      onceAsked = true;
      return unavailable(response);
    }
    return void sendFile(join(folder, path), response);
  };
}

/** Begins with a slash and never leaves the folder; undefined for a malformed URL. */
function pathOf(url: string): string | undefined {
  try {
    return normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
  } catch {
    return undefined;
  }
}

function unavailable(response: ServerResponse): void {
  response.writeHead(503).end();
}

async function sendFile(path: string, response: ServerResponse): Promise<void> {
  try {
    // Read completely: the samples are small, and a missing file can still be reported.
    const bytes = await readFile(path);
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}
