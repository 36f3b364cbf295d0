import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher, request, errors as undiciErrors } from 'undici';
import { FETCH_TIMEOUT_MS, MAX_FETCHES_PER_HOST } from '../contract/limits.ts';
import { isPublicAddress, literalAddress } from './address-rules.ts';

/** Thrown inside a connection attempt to an address that must not be reached. */
export class AddressNotAllowedError extends Error {
  override readonly name = 'AddressNotAllowedError';
}

/** undici's own error codes that `fetch-image` has to tell apart. */
export const UndiciError = undiciErrors;

export type HttpClient = {
  /** One GET with no redirect followed and no content decoded. */
  get(url: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
};

/**
 * An HTTP client for URLs that strangers wrote: it connects to public unicast addresses only. The
 * rule is applied to each address that DNS gives, on the very addresses that are then connected
 * to, and once more to the connected socket.
 *
 * @param allowedHosts host:port pairs that are exempt, as in `127.0.0.1:8080` or `[::1]:8080`
 * @param lookup what resolves names; injected so that tests can have names that lie
 */
export function createHttpClient(allowedHosts: readonly string[], lookup: LookupFunction = dnsLookup): HttpClient {
  const agent = new Agent({
    connect: guardedConnector(new Set(allowedHosts), lookup),
    connections: MAX_FETCHES_PER_HOST,
    pipelining: 1,
    headersTimeout: FETCH_TIMEOUT_MS,
    bodyTimeout: FETCH_TIMEOUT_MS,
    keepAliveTimeout: 4_000,
    allowH2: false,
  });
  const headers = {
    'user-agent': 'labelqueue',
    accept: 'image/*',
    'accept-encoding': 'identity',
  };
  return {
    get: (url, signal) => request(url, { dispatcher: agent, headers, signal }),
    close: () => agent.destroy(),
  };
}

function guardedConnector(allowedHosts: ReadonlySet<string>, lookup: LookupFunction): buildConnector.connector {
  const options = { timeout: FETCH_TIMEOUT_MS, autoSelectFamily: true };
  const connectFreely = buildConnector({ ...options, lookup });
  const connectToPublic = buildConnector({ ...options, lookup: publicLookup(lookup) });

  return (target, callback) => {
    const port = target.port || (target.protocol === 'https:' ? '443' : '80');
    const literal = literalAddress(target.hostname);
    // undici gives IPv6 without the brackets that it has in a URL and in the setting.
    const host = literal?.includes(':') ? `[${literal}]` : target.hostname;
    if (allowedHosts.has(`${host}:${port}`)) {
      connectFreely(target, callback);
      return;
    }
    if (literal !== undefined && !isPublicAddress(literal)) {
      callback(notAllowed(target.hostname), null);
      return;
    }
    connectToPublic(target, (error, socket) => {
      if (error !== null) return callback(error, null);
      const address = socket.remoteAddress;
      if (address !== undefined && isPublicAddress(address)) return callback(null, socket);
      socket.destroy();
      return callback(notAllowed(target.hostname), null);
    });
  };
}

/**
 * A lookup whose answer holds no address that must not be reached. A name with a public and a
 * private address is refused as a whole: that is how rebinding looks.
 */
function publicLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, []);
      const addresses = found as LookupAddress[];
      if (!addresses.every(({ address }) => isPublicAddress(address))) return callback(notAllowed(hostname), []);
      const first = addresses[0];
      if (options.all || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

function notAllowed(hostname: string): AddressNotAllowedError {
  return new AddressNotAllowedError(`${hostname} is not a public address`);
}
