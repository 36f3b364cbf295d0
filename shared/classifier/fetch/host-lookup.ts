import dns, { type LookupAddress } from 'node:dns';
import { Resolver, lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Semaphore } from 'async-mutex';
import { LOOKUP_TIMEOUT_MS, MAX_LOOKUPS } from '../../contract/limits.ts';
import { addressesInHostsFile } from './hosts-file.ts';

/** DNS has no address for the host of a connection, or did not respond. */
export class NameNotResolvedError extends Error {
  override readonly name = 'NameNotResolvedError';
}

/** Resolves the host of a connection. */
export type HostLookup = {
  /** For hosts in untrusted URLs. */
  lookup: LookupFunction;
  /** For hosts that the operator configured: names that DNS does not have, the system may (search domains, mDNS, NIS). */
  trustedLookup: LookupFunction;
  /** Cancels all queries. */
  close(): void;
};

/** The resolution delay of RFC 8305: how long the second address family is waited for once the first has addresses. */
const SECOND_FAMILY_MS = 50;
/** Cache time: short enough for a host that moves, long enough for the images of one message. */
const ANSWERS_KEPT_MS = 10_000;
const FAILURES_KEPT_MS = 1_000;
const MAX_NAMES_KEPT = 1_000;
const LOCALHOST: LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Looks hosts up without the system's getaddrinfo, which cannot be cancelled, and whose calls each occupy a thread that decoding
 * and inference need too: a few names whose servers do not respond would stop everything else. These look-ups need no thread and
 * have a timeout, so a slow name delays only itself.
 *
 * @param nameServers as for `Resolver.setServers`; by default those of the process
 */
export function createHostLookup(nameServers: readonly string[] = dns.getServers()): HostLookup {
  const resolver = new Resolver({ timeout: LOOKUP_TIMEOUT_MS / 4, maxTimeout: LOOKUP_TIMEOUT_MS / 2, tries: 3 });
  // Set only if necessary: not every address of the system configuration can be set.
  if (nameServers.join() !== resolver.getServers().join()) resolver.setServers(nameServers);
  const turns = new Semaphore(MAX_LOOKUPS);
  const known = new KnownNames((name) => turns.runExclusive(() => askDns(resolver, name)));
  const resolve = async (hostname: string) => localAddresses(hostname) ?? known.addressesOf(hostname);
  return {
    lookup: asLookupFunction(resolve),
    trustedLookup: asLookupFunction((hostname) => resolve(hostname).catch(() => askSystem(hostname))),
    close: () => resolver.cancel(),
  };
}

/** Names without DNS: by RFC 6761, `localhost` and its subdomains are this machine. */
function localAddresses(hostname: string): LookupAddress[] | undefined {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return name === 'localhost' || name.endsWith('.localhost') ? LOCALHOST : addressesInHostsFile(name);
}

function askSystem(hostname: string): Promise<LookupAddress[]> {
  return systemLookup(hostname, { all: true });
}

/** Recent answers and pending queries: concurrent look-ups of a name share a query. */
class KnownNames {
  readonly #ask: (name: string) => Promise<LookupAddress[]>;
  readonly #names = new Map<string, { answer: Promise<LookupAddress[]>; until: number }>();

  constructor(ask: (name: string) => Promise<LookupAddress[]>) {
    this.#ask = ask;
  }

  addressesOf(name: string): Promise<LookupAddress[]> {
    const known = this.#names.get(name);
    if (known !== undefined && known.until > performance.now()) return known.answer;
    this.#names.delete(name);
    this.#forgetOldest();
    const entry = { answer: this.#ask(name), until: Number.POSITIVE_INFINITY };
    this.#names.set(name, entry);
    const keep = (milliseconds: number) => () => {
      entry.until = performance.now() + milliseconds;
    };
    entry.answer.then(keep(ANSWERS_KEPT_MS), keep(FAILURES_KEPT_MS));
    return entry.answer;
  }

  #forgetOldest(): void {
    const [oldest] = this.#names.keys();
    if (oldest !== undefined && this.#names.size >= MAX_NAMES_KEPT) this.#names.delete(oldest);
  }
}

type Answer = { addresses: LookupAddress[]; failure?: unknown };

/** IPv4 first: machines without IPv6 connectivity are more common than machines without IPv4. */
async function askDns(resolver: Resolver, name: string): Promise<LookupAddress[]> {
  const answers = [answerOf(resolver.resolve4(name), 4), answerOf(resolver.resolve6(name), 6)];
  const giveUp = new AbortController();
  const outOfTime = delay(LOOKUP_TIMEOUT_MS, 'out of time' as const, { signal: giveUp.signal }).catch(() => undefined);
  try {
    const first = await Promise.race([...answers, outOfTime]);
    if (typeof first === 'object' && first.addresses.length > 0) return await withSecondFamily(answers);
    const all = await Promise.race([Promise.all(answers), outOfTime]);
    if (!Array.isArray(all)) throw notAnswered();
    const addresses = all.flatMap((answer) => answer.addresses);
    if (addresses.length === 0) throw notResolved(all);
    return addresses;
  } finally {
    giveUp.abort();
  }
}

async function withSecondFamily(answers: readonly Promise<Answer>[]): Promise<LookupAddress[]> {
  const found: LookupAddress[][] = [];
  const noted = answers.map(async (answer, index) => {
    found[index] = (await answer).addresses;
  });
  await Promise.race([Promise.all(noted), delay(SECOND_FAMILY_MS)]);
  return found.flat();
}

async function answerOf(question: Promise<string[]>, family: 4 | 6): Promise<Answer> {
  try {
    return { addresses: (await question).map((address) => ({ address, family })) };
  } catch (failure) {
    return { addresses: [], failure };
  }
}

function notResolved(answers: readonly Answer[]): NameNotResolvedError {
  const codes = answers.map(({ failure }) => (failure as NodeJS.ErrnoException).code ?? 'an error');
  if (codes.includes('ETIMEOUT')) return notAnswered();
  return new NameNotResolvedError(
    `expected DNS to have an address for the host, got ${[...new Set(codes)].join(', ')}`,
  );
}

function notAnswered(): NameNotResolvedError {
  return new NameNotResolvedError(`expected DNS to respond within ${LOOKUP_TIMEOUT_MS / 1_000} s`);
}

/** In the form of `net.connect`. */
function asLookupFunction(resolve: (hostname: string) => Promise<LookupAddress[]>): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (all || first === undefined) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}
