import dns, { type LookupAddress } from 'node:dns';
import { Resolver, lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Semaphore } from 'async-mutex';
import { LOOKUP_TIMEOUT_MS, MAX_LOOKUPS } from '../../contract/limits.ts';
import { addressesInHostsFile } from './hosts-file.ts';

/** Thrown inside a connection attempt: DNS has no address for the host, or did not answer. */
export class NameNotResolvedError extends Error {
  override readonly name = 'NameNotResolvedError';
}

/** Resolves the host of a connection. */
export type HostLookup = {
  /** For hosts that strangers named. */
  lookup: LookupFunction;
  /** For hosts that the operator named: what DNS does not have, the system may (search domains, mDNS, NIS). */
  trustedLookup: LookupFunction;
  /** Breaks off all questions. */
  close(): void;
};

/** RFC 8305 calls it the resolution delay: how long the second family is waited for once the first has addresses. */
const SECOND_FAMILY_MS = 50;
/** Short enough for a host that moves, long enough for the images of one message. */
const ANSWERS_KEPT_MS = 10_000;
const FAILURES_KEPT_MS = 1_000;
const MAX_NAMES_KEPT = 1_000;
const LOCALHOST: LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Looks hosts up without the system's getaddrinfo. That one cannot be broken off, and each call holds a thread that
 * decoding and inference need as well: a few names whose server is silent would stop everything else. These look-ups
 * hold no thread and end by themselves, so that a name that waits delays itself alone.
 *
 * @param nameServers as `Resolver.setServers` takes them; by default those of the process
 */
export function createHostLookup(nameServers: readonly string[] = dns.getServers()): HostLookup {
  const resolver = new Resolver({ timeout: LOOKUP_TIMEOUT_MS / 4, maxTimeout: LOOKUP_TIMEOUT_MS / 2, tries: 3 });
  // Set only when it makes a difference: not every address that the system has can be set.
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

/** What needs no DNS: RFC 6761 keeps `localhost` and all below it on this machine. */
function localAddresses(hostname: string): LookupAddress[] | undefined {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return name === 'localhost' || name.endsWith('.localhost') ? LOCALHOST : addressesInHostsFile(name);
}

function askSystem(hostname: string): Promise<LookupAddress[]> {
  return systemLookup(hostname, { all: true });
}

/** Answers that were had a moment ago, and questions that are being asked: no name is asked for twice at once. */
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

/** IPv4 first: a machine without a way to IPv6 is more common than one without a way to IPv4. */
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
  return new NameNotResolvedError(`expected an answer of DNS within ${LOOKUP_TIMEOUT_MS / 1_000} s, got none`);
}

/** As `net.connect` wants it. */
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
