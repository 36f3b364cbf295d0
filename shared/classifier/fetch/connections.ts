/** A connection to one origin: opened by its first request, used by one request at a time. */
export type Connection = {
  /** Whether it is connected and unused. */
  isIdle(): boolean;
  /** Closes it immediately; settles once its descriptor is free. */
  close(): Promise<void>;
};

/** A connection for one request; the caller must give it back. */
export type Lease<C> = {
  connection: C;
  /** Whether it served a request before: the server may have closed it meanwhile. */
  reused: boolean;
  /** Keeps an idle connection for the next request; closes any other. */
  giveBack(): void;
};

type Limits = {
  /** Maximum number of connections, idle ones included: each holds a descriptor. */
  atMost: number;
  /** Concurrent requests per origin. */
  perOrigin: number;
};

type Waiting<C> = { origin: string; fresh: boolean; admit: (lease: Lease<C>) => void };

/**
 * All connections of a client, to all origins. undici's pools are bounded per origin: a thousand origins may hold a thousand idle
 * connections for as long as their servers ask. Here the total is bounded. When a new connection needs room, the oldest idle one
 * is closed; if none is idle, the request waits.
 *
 * Invariant: `#open` counts busy connections, idle ones, and those that are being closed while they still connect.
 */
export class Connections<C extends Connection> {
  readonly #connect: (origin: string, onGone: () => void) => C;
  readonly #limits: Limits;
  /** Oldest first. */
  readonly #idle = new Map<C, string>();
  readonly #busy = new Map<C, string>();
  readonly #waiting = new Set<Waiting<C>>();
  #open = 0;

  /** @param connect makes a connection; `onGone` must be called when an established one is lost */
  constructor(connect: (origin: string, onGone: () => void) => C, limits: Limits) {
    this.#connect = connect;
    this.#limits = limits;
  }

  /** Number of descriptors held. */
  get open(): number {
    return this.#open;
  }

  /**
   * A connection to `origin`, as soon as the limits allow.
   *
   * @param fresh a new connection, which has not served a request
   * @throws the reason of `signal`, once it is aborted
   */
  take(origin: string, signal: AbortSignal, fresh = false): Promise<Lease<C>> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Lease<C>>();
    const giveUp = () => {
      this.#waiting.delete(waiting);
      reject(signal.reason);
    };
    const waiting: Waiting<C> = {
      origin,
      fresh,
      admit: (lease) => {
        signal.removeEventListener('abort', giveUp);
        resolve(lease);
      },
    };
    signal.addEventListener('abort', giveUp, { once: true });
    this.#waiting.add(waiting);
    this.#admitWaiting();
    return promise;
  }

  /** Closes all connections. Waiting requests end by their signals. */
  async close(): Promise<void> {
    this.#waiting.clear();
    const connections = [...this.#idle.keys(), ...this.#busy.keys()];
    this.#idle.clear();
    await Promise.all(connections.map((connection) => connection.close()));
  }

  #admitWaiting(): void {
    for (const waiting of this.#waiting) {
      const lease = this.#leaseFor(waiting);
      if (lease === undefined) continue;
      this.#waiting.delete(waiting);
      waiting.admit(lease);
    }
  }

  #leaseFor({ origin, fresh }: Waiting<C>): Lease<C> | undefined {
    if (countOf(this.#busy, origin) >= this.#limits.perOrigin) return undefined;
    const idle = fresh ? undefined : this.#newestIdle(origin);
    if (idle !== undefined) return this.#lease(idle, origin, true);
    if (this.#open >= this.#limits.atMost && !this.#closeOldestIdle()) return undefined;
    this.#open++;
    const connection: C = this.#connect(origin, () => this.#forget(connection));
    return this.#lease(connection, origin, false);
  }

  #lease(connection: C, origin: string, reused: boolean): Lease<C> {
    this.#idle.delete(connection);
    this.#busy.set(connection, origin);
    let given = false;
    const giveBack = () => {
      if (given) return;
      given = true;
      this.#giveBack(connection, origin);
    };
    return { connection, reused, giveBack };
  }

  #giveBack(connection: C, origin: string): void {
    this.#busy.delete(connection);
    if (connection.isIdle()) this.#idle.set(connection, origin);
    else void this.#end(connection);
    this.#admitWaiting();
  }

  async #end(connection: C): Promise<void> {
    await connection.close();
    this.#open--;
    this.#admitWaiting();
  }

  #forget(connection: C): void {
    if (this.#idle.delete(connection)) void this.#end(connection);
  }

  #newestIdle(origin: string): C | undefined {
    return [...this.#idle].findLast(([, other]) => other === origin)?.[0];
  }

  /** Its descriptor is free within a turn of the event loop, so it is no longer counted. */
  #closeOldestIdle(): boolean {
    const [oldest] = this.#idle.keys();
    if (oldest === undefined) return false;
    this.#idle.delete(oldest);
    this.#open--;
    void oldest.close();
    return true;
  }
}

function countOf<C>(connections: ReadonlyMap<C, string>, origin: string): number {
  let count = 0;
  for (const other of connections.values()) if (other === origin) count++;
  return count;
}
