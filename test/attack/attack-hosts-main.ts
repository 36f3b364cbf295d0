/**
 * Run by `startChildModule`: misbehaving servers on addresses of their own. Its arguments are how many, how many others there
 * are before them, and the names of the bodies that they send.
 */

import { reportReady } from '../../testkit/child-module.ts';
import { startImageServer } from '../../testkit/image-server.ts';
import { attackRoutes, makeBodies } from './attack-routes.ts';

export type AttackHostsReport = { hosts: string[] };

const [count = 0, before = 0] = process.argv.slice(2, 4).map(Number);
const routes = attackRoutes(await makeBodies(process.argv.slice(4)));
const servers = await Promise.all(
  Array.from({ length: count }, (_, index) => startImageServer(addressOf(before + index), routes)),
);
reportReady({ hosts: servers.map(({ host }) => host) } satisfies AttackHostsReport);

/** Linux has all of 127.0.0.0/8; other systems have one address, and many ports. */
function addressOf(number: number): string {
  if (process.platform !== 'linux') return '127.0.0.1';
  return `127.${1 + (number >> 8)}.${number & 255}.1`;
}
