import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { buildConnector, Client, errors as undiciErrors } from 'undici';
import { FETCH_TIMEOUT_MS, MAX_FETCHES_PER_HOST } from '../../contract/limits.ts';
import { connectionsAllowed } from '../../runtime/open-files.ts';
import type { ClassifierSettings } from '../../settings.ts';
import { addressNotAllowed, isPublicAddress, literalAddress, publicLookup } from './address-rules.ts';
import { type Connection, Connections, type Lease } from './connections.ts';
import { createHostLookup } from './host-lookup.ts';
import { requestLeniently } from './lenient-request.ts';
import { DEFAULT_USER_AGENT } from './user-agent.ts';

/** undici's errors, which `fetch-failure` distinguishes. */
export const UndiciError = undiciErrors;

/** A response whose body is still unread. Header names are in lower case; values have a character per byte. */
export type HttpResponse = {
  statusCode: number;
  headers: Readonly<NodeJS.Dict<string | string[]>>;
  /** Must be read to its end or destroyed: it occupies a connection. */
  body: Readable;
};

/** A body, and the headers that describe it. */
export type PostContent = { headers: Record<string, string>; body: string };

/** Fetches from servers that strangers name. */
export type HttpClient = {
  /** One GET with no redirect followed and no content decoded. */
  get(url: URL, signal: AbortSignal, cookie?: string): Promise<HttpResponse>;
  /** The same over a connection of its own with a lenient parser, for a response that the strict parser rejected. */
  getLeniently(url: URL, signal: AbortSignal, cookie?: string): Promise<HttpResponse>;
  /** One POST over a connection of its own with no redirect followed; never sent twice. */
  post(url: URL, content: PostContent, signal: AbortSignal): Promise<HttpResponse>;
  /** Number of open connections, idle ones included. */
  openConnections(): number;
  close(): Promise<void>;
};

/** What a client may connect to, and how it introduces itself. */
export type HttpClientOptions = {
  /** The `User-Agent` of each request. */
  userAgent?: string;
  /** In milliseconds; by default the timeout of a fetch. */
  connectTimeoutMs?: number;
  /** `address:port` of the name servers; by default those of the process. */
  nameServers?: readonly string[];
  /** Maximum number of connections; by default what the process's limit on open files allows. */
  maxConnections?: number;
};

/** How long an idle connection is kept: without a hint of the server, and at most. */
const KEEP_ALIVE_MS = 4_000;
const MAX_KEEP_ALIVE_MS = 10_000;
/** Some servers send policies and cookies of 20 kB and more. */
const MAX_HEADER_BYTES = 64 * 1_024;

/** The formats that are decoded, JPEG and PNG first; others are accepted too, so that the failure names the format. */
const ACCEPT = 'image/jpeg,image/png,image/webp,image/gif,image/avif,image/tiff,image/*;q=0.8,*/*;q=0.5';

/**
 * An HTTP client for untrusted URLs: it connects to public unicast addresses only. The rule is applied to each address that
 * DNS returns, which are the addresses that are then connected to, and again to the connected socket. It never holds more
 * connections than the process can spare.
 *
 * @param allowedHosts host:port pairs that are exempt, e.g. `127.0.0.1:8080` or `[::1]:8080`
 * @param lookup resolves names in place of DNS; injected so that tests can use names with hostile addresses
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

/** A client by the settings. @throws {TooFewOpenFilesError} */
export function createImageClient({
  allowedHosts,
  fetchTimeoutSeconds,
  fetchUserAgent,
}: Pick<ClassifierSettings, 'allowedHosts' | 'fetchTimeoutSeconds' | 'fetchUserAgent'>): HttpClient {
  return createHttpClient(allowedHosts, undefined, {
    // The fetch that waits for a connection has failed by then: the connection must not keep its descriptor longer.
    connectTimeoutMs: fetchTimeoutSeconds * 1_000,
    ...(fetchUserAgent !== undefined && { userAgent: fetchUserAgent }),
  });
}

type Get = { url: URL; headers: Record<string, string>; signal: AbortSignal };
type Post = Get & { body: string };

/**
 * A GET may be repeated: once over a fresh connection when the server had closed the idle one, and once with a lenient parser
 * when undici's rejects the headers.
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

/** Returns the connection once the body is closed, or immediately when there is none. */
async function heldUntilRead(
  lease: Lease<OriginConnection>,
  request: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  try {
    const response = await request();
    // A body that the parser rejects within the same tick is closed before a listener can be added.
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

/** undici closes the connection when a response starts with an unsolicited 100 (Continue). */
function isInterim(error: unknown): boolean {
  return error instanceof UndiciError.SocketError && error.message === 'bad response';
}

/** undici reports unparsable headers as a body that is too short if it saw a Content-Length before them. */
export function isUnparsable(error: unknown): boolean {
  return (
    error instanceof UndiciError.HTTPParserError || error instanceof UndiciError.ResponseContentLengthMismatchError
  );
}

/** undici's client of one connection, with the state that `Connections` needs. */
class OriginConnection implements Connection {
  readonly #client: Client;
  readonly #origin: URL;
  readonly #connect: buildConnector.connector;
  /** Settles when no connection attempt is in progress. */
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

  /** A guarded socket to the same origin, outside of undici. */
  connectOnce = (callback: buildConnector.Callback): void => {
    const { hostname, host, protocol, port } = this.#origin;
    this.#noteConnecting({ hostname: hostname.replace(/^\[|\]$/g, ''), host, protocol, port }, callback);
  };

  isIdle(): boolean {
    const { connected, running, pending } = this.#client.stats;
    return connected && running === 0 && pending === 0 && !this.#client.destroyed;
  }

  /** undici cannot end a socket that is still connecting: it keeps its descriptor until the attempt ends. */
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
  /** For names in untrusted URLs. */
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
    // undici passes IPv6 addresses without the brackets that they have in a URL and in the setting.
    const host = literal?.includes(':') ? `[${literal}]` : target.hostname;
    if (allowedHosts.has(`${host}:${port}`)) {
      connectFreely(target, callback);
      return;
    }
    if (literal !== undefined && !isPublicAddress(literal)) {
      callback(addressNotAllowed(target.hostname), null);
      return;
    }
    connectToPublic(target, (error, socket) => {
      if (error !== null) return callback(error, null);
      const address = socket.remoteAddress;
      if (address !== undefined && isPublicAddress(address)) return callback(null, socket);
      socket.destroy();
      return callback(addressNotAllowed(target.hostname), null);
    });
  };
}
