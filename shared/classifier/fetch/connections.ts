/** A connection to one origin: made by its first request, good for one request at a time. */
export type Connection = {
  /** Whether it is connected and has nothing to do. */
  isIdle(): boolean;
  /** Ends it, whatever it does; settles once its descriptor is free. */
  close(): Promise<void>;
};

/** A connection to use for one request; whoever takes it must give it back. */
export type Lease<C> = {
  connection: C;
  /** Whether it served a request before: the server may have closed it meanwhile. */
  reused: boolean;
  /** Keeps an idle connection for the next request; ends any other. */
  giveBack(): void;
};

type Limits = {
  /** Connections at once, idle ones included: each holds a descriptor. */
  atMost: number;
  /** Requests at once per origin. */
  perOrigin: number;
};

type Waiting<C> = { origin: string; fresh: boolean; admit: (lease: Lease<C>) => void };

/**
 * All connections of a client, whatever their origin. undici's own pools are bounded per origin: a thousand origins
 * may hold a thousand idle connections for as long as their servers ask. Here the total is bounded. Where a new
 * connection needs room, the oldest idle one is closed; where none is idle, the request waits.
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

  /** How many descriptors are held. */
  get open(): number {
    return this.#open;
  }

  /**
   * A connection to `origin`, as soon as the limits allow.
   *
   * @param fresh not one that served a request before
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

  /** Ends all connections. Requests that wait for one are left to the time limit of their signal. */
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

  /** Its descriptor is free within a turn of the event loop, so that it counts no more from now on. */
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
