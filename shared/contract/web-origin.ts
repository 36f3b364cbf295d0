import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A Host header: a name or an IPv4 address, or an IPv6 address in brackets, and a port. */
const HOST = /^(\[[0-9a-f:]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i;

/** The parts of a Host header, the name in lower case; undefined when it is malformed or missing. */
export function parseHost(host: string | undefined): { name: string; port: number } | undefined {
  const [, name, port = '80'] = HOST.exec(host ?? '') ?? [];
  return name === undefined ? undefined : { name: name.toLowerCase(), port: Number(port) };
}

/** Names that browsers resolve to this machine, whatever DNS says. */
const LOOPBACK_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Whether the name of a Host header is one of this machine. */
export function isLoopbackName(name: string): boolean {
  return LOOPBACK_NAMES.has(name);
}

/**
 * Whether a request was sent by a page of another origin, by its headers. Browsers set `Origin` on every POST and every
 * cross-origin `fetch`, and `Sec-Fetch-Site` on other requests (images, links, frames); pages cannot omit them. Other clients
 * send neither. A page on another port of this machine is another origin too.
 */
export function isFromAnotherOrigin({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (origin !== undefined && origin !== `http://${host}`) return true;
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** Compares in constant time. */
export function isSameSecret(given: string, secret: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(secret)];
  return one.length === other.length && timingSafeEqual(one, other);
}
