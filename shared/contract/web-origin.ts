import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A Host header: a name or an IPv4 address, or an IPv6 address in brackets, and a port. */
const HOST = /^(\[[0-9a-f:]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i;

/** The parts of a Host header, the name in lower case; undefined when it is malformed or missing. */
export function parseHost(host: string | undefined): { name: string; port: number } | undefined {
  const [, name, port = '80'] = HOST.exec(host ?? '') ?? [];
  return name === undefined ? undefined : { name: name.toLowerCase(), port: Number(port) };
}

/** Names that a browser takes for this machine alone, whatever a name server answers. */
const LOOPBACK_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Whether the name of a Host header is one of this machine. */
export function isLoopbackName(name: string): boolean {
  return LOOPBACK_NAMES.has(name);
}

/**
 * Whether a browser says that a page of another origin has sent the request. `Origin` is on every POST and every
 * `fetch` across origins; `Sec-Fetch-Site` is on the rest (images, links, frames). Other clients send neither, and
 * no page can leave them out. A page on another port of this machine is another origin, too.
 */
export function isFromAnotherOrigin({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (origin !== undefined && origin !== `http://${host}`) return true;
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** Compares in a time that does not depend on where the texts differ. */
export function isSameSecret(given: string, secret: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(secret)];
  return one.length === other.length && timingSafeEqual(one, other);
}
