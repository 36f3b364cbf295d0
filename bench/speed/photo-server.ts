/** Run in a process of its own: sends a picture of a kind, after a delay when asked for one. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reportReady } from '../../testkit/child-module.ts';
import { KINDS, type Kind, picturesOf } from './pictures.ts';

export type PhotoServer = { hosts: string[] };

/** A worker asks one host for 8 images at once; a list of a million URLs names many. */
const HOSTS = 8;

const pictures = new Map<string, Buffer[]>();
for (const kind of Object.keys(KINDS) as Kind[]) pictures.set(kind, await picturesOf(kind));

/** `/<kind>/<number>?delay=<ms>` */
const send: RequestListener = ({ url = '' }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const [, kind = '', number = '0'] = pathname.split('/').map(decodeURIComponent);
  const ofKind = pictures.get(kind) ?? [];
  const picture = ofKind[Number(number) % ofKind.length];
  const answer = () => {
    response.writeHead(picture === undefined ? 404 : 200).end(picture);
  };
  const delay = Number(searchParams.get('delay') ?? 0);
  if (delay === 0) answer();
  else setTimeout(answer, delay);
};
const hosts = await Promise.all(Array.from({ length: HOSTS }, (_, index) => listen(`127.0.0.${index + 1}`)));
reportReady({ hosts } satisfies PhotoServer);

async function listen(address: string): Promise<string> {
  const server = createServer(send);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return `${address}:${(server.address() as AddressInfo).port}`;
}
