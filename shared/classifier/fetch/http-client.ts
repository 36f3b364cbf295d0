import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { buildConnector, Client, errors as undiciErrors } from 'undici';
import { FETCH_TIMEOUT_MS, MAX_FETCHES_PER_HOST } from '../../contract/limits.ts';
import { connectionsAllowed } from '../../runtime/open-files.ts';
import type { ClassifierSettings } from '../../settings.ts';
import { isPublicAddress, literalAddress } from './address-rules.ts';
import { type Connection, Connections, type Lease } from './connections.ts';
import { createHostLookup } from './host-lookup.ts';
import { requestLeniently } from './lenient-request.ts';
import { DEFAULT_USER_AGENT } from './user-agent.ts';

/** Thrown inside a connection attempt to an address that must not be reached. */
export class AddressNotAllowedError extends Error {
  override readonly name = 'AddressNotAllowedError';
}

/** undici's own error codes that `fetch-image` has to tell apart. */
export const UndiciError = undiciErrors;

/** An answer whose body has not been read. Header names are in lower case; values have a character per byte. */
export type HttpResponse = {
  statusCode: number;
  headers: Readonly<NodeJS.Dict<string | string[]>>;
  /** Must be read to its end or destroyed: it holds a connection. */
  body: Readable;
};

/** What is sent, and the headers that say what it is. */
export type PostContent = { headers: Record<string, string>; body: string };

/** Fetches from servers that strangers name. */
export type HttpClient = {
  /** One GET with no redirect followed and no content decoded. */
  get(url: URL, signal: AbortSignal, cookie?: string): Promise<HttpResponse>;
  /** The same over a connection of its own and with a lenient parser, for an answer whose body was refused. */
  getLeniently(url: URL, signal: AbortSignal, cookie?: string): Promise<HttpResponse>;
  /** One POST over a connection of its own, with no redirect followed: it is never sent twice. */
  post(url: URL, content: PostContent, signal: AbortSignal): Promise<HttpResponse>;
  /** Connections that are open now, idle ones included. */
  openConnections(): number;
  close(): Promise<void>;
};

/** What a client may connect to, and how it introduces itself. */
export type HttpClientOptions = {
  /** The `User-Agent` of each request. */
  userAgent?: string;
  /** Given up after so many milliseconds; by default as late as a fetch. */
  connectTimeoutMs?: number;
  /** `address:port` of the name servers to ask; by default those of the process. */
  nameServers?: readonly string[];
  /** Connections at once; by default what the open files of the process allow. */
  maxConnections?: number;
};

/** How long an idle connection is kept where the server hints nothing, and at most whatever it hints. */
const KEEP_ALIVE_MS = 4_000;
const MAX_KEEP_ALIVE_MS = 10_000;
/** Some send policies and cookies of 20 kB and more. */
const MAX_HEADER_BYTES = 64 * 1_024;

/** The formats that are decoded, JPEG and PNG first; others still come, so that the failure names the format. */
const ACCEPT = 'image/jpeg,image/png,image/webp,image/gif,image/avif,image/tiff,image/*;q=0.8,*/*;q=0.5';

/**
 * An HTTP client for URLs that strangers wrote: it connects to public unicast addresses only. The
 * rule is applied to each address that DNS gives, on the very addresses that are then connected
 * to, and once more to the connected socket. It never holds more connections than the process can spare.
 *
 * @param allowedHosts host:port pairs that are exempt, as in `127.0.0.1:8080` or `[::1]:8080`
 * @param lookup what resolves names in place of DNS; injected so that tests can have names that lie
 * @throws {TooFewOpenFilesError} when the process may not open enough files
 */
export function createHttpClient(
  allowedHosts: readonly string[],
  lookup?: LookupFunction,
  { userAgent = DEFAULT_USER_AGENT, connectTimeoutMs, nameServers, maxConnections }: HttpClientOptions = {},
): HttpClient {
  const names = createHostLookup(nameServers);
  const connect = guardedConnector(new Set(allowedHosts), {
    lookup: lookup ?? names.lookup,
    trustedLookup: lookup ?? names.trustedLookup,
    timeout: connectTimeoutMs ?? FETCH_TIMEOUT_MS,
  });
  const connections = new Connections((origin, onGone) => new OriginConnection(origin, connect, onGone), {
    atMost: maxConnections ?? connectionsAllowed(),
    perOrigin: MAX_FETCHES_PER_HOST,
  });
  const headers = { 'user-agent': userAgent, accept: ACCEPT, 'accept-encoding': 'identity' };
  const headersWith = (cookie?: string) => (cookie === undefined ? headers : { ...headers, cookie });
  return {
    get: (url, signal, cookie) => getOver(connections, { url, signal, headers: headersWith(cookie) }),
    getLeniently: (url, signal, cookie) => getLenientlyOver(connections, { url, signal, headers: headersWith(cookie) }),
    post: (url, { headers: own, body }, signal) =>
      postOver(connections, { url, signal, headers: { 'user-agent': userAgent, ...own }, body }),
    openConnections: () => connections.open,
    async close() {
      names.close();
      await connections.close();
    },
  };
}

/** The client as the settings have it. @throws {TooFewOpenFilesError} */
export function createImageClient({
  allowedHosts,
  fetchTimeoutSeconds,
  fetchUserAgent,
}: Pick<ClassifierSettings, 'allowedHosts' | 'fetchTimeoutSeconds' | 'fetchUserAgent'>): HttpClient {
  return createHttpClient(allowedHosts, undefined, {
    // Whoever waits for a connection has given up by then: it must not keep its descriptor for longer.
    connectTimeoutMs: fetchTimeoutSeconds * 1_000,
    ...(fetchUserAgent !== undefined && { userAgent: fetchUserAgent }),
  });
}

/** What is asked for. */
type Get = { url: URL; headers: Record<string, string>; signal: AbortSignal };
type Post = Get & { body: string };

/**
 * A GET may be repeated: once over a fresh connection when the server had closed the one that was kept, and once
 * with a lenient parser when undici's refuses the headers.
 */
async function getOver(connections: Connections<OriginConnection>, get: Get): Promise<HttpResponse> {
  const { origin } = get.url;
  try {
    const lease = await connections.take(origin, get.signal);
    return await heldUntilRead(lease, () => lease.connection.get(get)).catch(async (error: unknown) => {
      if (!lease.reused || !isLostConnection(error)) throw error;
      const fresh = await connections.take(origin, get.signal, true);
      return heldUntilRead(fresh, () => fresh.connection.get(get));
    });
  } catch (error) {
    if (!isUnparsable(error) && !isInterim(error)) throw error;
    return getLenientlyOver(connections, get);
  }
}

async function getLenientlyOver(connections: Connections<OriginConnection>, get: Get): Promise<HttpResponse> {
  const lease = await connections.take(get.url.origin, get.signal, true);
  return heldUntilRead(lease, () => requestLeniently(get, lease.connection.connectOnce));
}

async function postOver(connections: Connections<OriginConnection>, post: Post): Promise<HttpResponse> {
  const lease = await connections.take(post.url.origin, post.signal, true);
  return heldUntilRead(lease, () => lease.connection.post(post));
}

/** Gives the connection back once the body is closed, or at once when there is none. */
async function heldUntilRead(
  lease: Lease<OriginConnection>,
  request: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  try {
    const response = await request();
    // A body that its parser refuses within the same tick is closed before anybody could listen.
    if (response.body.closed) lease.giveBack();
    else response.body.once('close', lease.giveBack);
    return response;
  } catch (error) {
    lease.giveBack();
    throw error;
  }
}

function isLostConnection(error: unknown): boolean {
  if (error instanceof UndiciError.SocketError) return true;
  return Error.isError(error) && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** undici closes the connection of an answer that begins with 100 (Continue), which nobody asked for. */
function isInterim(error: unknown): boolean {
  return error instanceof UndiciError.SocketError && error.message === 'bad response';
}

/** undici reports headers that it cannot parse as a body that is too short when it saw a Content-Length before. */
export function isUnparsable(error: unknown): boolean {
  return (
    error instanceof UndiciError.HTTPParserError || error instanceof UndiciError.ResponseContentLengthMismatchError
  );
}

/** undici's client of one connection, and what `Connections` has to know about it. */
class OriginConnection implements Connection {
  readonly #client: Client;
  readonly #origin: URL;
  readonly #connect: buildConnector.connector;
  /** Settles when no attempt to connect is under way. */
  #connecting: Promise<void> = Promise.resolve();

  constructor(origin: string, connect: buildConnector.connector, onGone: () => void) {
    this.#origin = new URL(origin);
    this.#connect = connect;
    this.#client = new Client(origin, {
      connect: this.#noteConnecting,
      pipelining: 1,
      headersTimeout: FETCH_TIMEOUT_MS,
      bodyTimeout: FETCH_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
      allowH2: false,
    });
    this.#client.on('disconnect', onGone);
  }

  get({ url, headers, signal }: Get): Promise<HttpResponse> {
    return this.#client.request({ method: 'GET', path: `${url.pathname}${url.search}`, headers, signal });
  }

  post({ url, headers, signal, body }: Post): Promise<HttpResponse> {
    return this.#client.request({ method: 'POST', path: `${url.pathname}${url.search}`, headers, signal, body });
  }

  /** A guarded socket to the same origin that undici does not know about. */
  connectOnce = (callback: buildConnector.Callback): void => {
    const { hostname, host, protocol, port } = this.#origin;
    this.#noteConnecting({ hostname: hostname.replace(/^\[|\]$/g, ''), host, protocol, port }, callback);
  };

  isIdle(): boolean {
    const { connected, running, pending } = this.#client.stats;
    return connected && running === 0 && pending === 0 && !this.#client.destroyed;
  }

  /** A socket that still connects is out of undici's reach: it holds its descriptor until it is through. */
  async close(): Promise<void> {
    await this.#client.destroy();
    await this.#connecting;
  }

  #noteConnecting: buildConnector.connector = (target, callback) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#connecting = promise;
    this.#connect(target, (...answer) => {
      resolve();
      callback(...answer);
    });
  };
}

type ConnectorOptions = {
  /** For names that strangers wrote. */
  lookup: LookupFunction;
  /** For names of allowed hosts. */
  trustedLookup: LookupFunction;
  /** In milliseconds. */
  timeout: number;
};

function guardedConnector(
  allowedHosts: ReadonlySet<string>,
  { lookup, trustedLookup, timeout }: ConnectorOptions,
): buildConnector.connector {
  const options = { timeout, autoSelectFamily: true, allowH2: false };
  const connectFreely = buildConnector({ ...options, lookup: trustedLookup });
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
