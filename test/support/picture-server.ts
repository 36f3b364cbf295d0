import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { greyPng } from '../classifier/pictures.ts';

/** Sends a picture of a few bytes at every path: for tests that need many images, or slow ones. */
export type PictureServer = AsyncDisposable & {
  /** `host:port`, as the setting ALLOWED_HOSTS wants it. */
  host: string;
  url(path: string): string;
  /** How long each answer takes from now on. */
  delayMs: number;
  /** How often anything was requested. */
  requests: number;
};

const PICTURE = greyPng(8, 8, Buffer.alloc(8 * (1 + 8)));

/** The last part of the path is appended to the picture, for `poison-images.mjs` and the like; decoders ignore it. */
export async function startPictureServer(): Promise<PictureServer> {
  const server = createServer(async ({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    pictures.requests++;
    if (pictures.delayMs > 0) await delay(pictures.delayMs);
    response.end(Buffer.concat([PICTURE, Buffer.from(`#${pathname.slice(pathname.lastIndexOf('/') + 1)}`)]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pictures: PictureServer = {
    host,
    url: (path) => `http://${host}${path}`,
    delayMs: 0,
    requests: 0,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return pictures;
}
