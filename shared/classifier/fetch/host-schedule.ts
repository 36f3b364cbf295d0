import { IMAGES_IN_FLIGHT, MIN_UNPROVEN_FETCHES, SUSPECT_FETCHES } from '../../contract/limits.ts';
import { Queue } from '../queue.ts';
import type { HostHealth, Standing } from './host-health.ts';

/**
 * The images of one group on one host that have not been started, the next one last; how many are being fetched, and how
 * many of those have stepped aside.
 */
type Line<Item> = {
  host: Host<Item>;
  group: Group<Item>;
  items: Item[];
  active: number;
  aside: number;
  ticket: number;
};
type Host<Item> = { name: string; standing: Standing; atOnce: number; active: number; lines: Line<Item>[] };
/** Lines that may be taken from, by the standing of their hosts. An entry whose ticket differs from its line's is void. */
type Group<Item> = {
  lines: Record<Standing, Queue<{ line: Line<Item>; ticket: number }>>;
  active: Record<Standing, number>;
};

/** The standings whose images may be started. */
const STANDINGS = ['answers', 'unknown', 'suspect'] as const;

/** An image that may be started. Must be released once it is fetched. */
export type Taken<Item> = { host: string; item: Item; line: Line<Item>; isAside: boolean };

/**
 * Distributes the fetches fairly: among groups, within a group among the standings of hosts, and within a standing among the
 * hosts in turn, with a limit per host. Whichever has the fewest fetches in progress comes first: so a fetch that ends makes
 * room for the next of its kind, and hanging fetches keep no more than their share. Hosts that have not responded so far get
 * fewer as more of them do not respond.
 *
 * The cost of a step depends on the number of groups only, not of images or hosts.
 *
 * Invariant: a host below its limit has each of its lines with images in the queue of its standing, once.
 */
export class HostSchedule<Item> {
  readonly #health: HostHealth;
  readonly #hosts = new Map<string, Host<Item>>();
  readonly #groups: Group<Item>[] = [];
  /** By the standing of their hosts: fetches in progress that have not stepped aside, images not started, hosts. */
  readonly #active = noneOfEach();
  readonly #left = noneOfEach();
  readonly #known = noneOfEach();

  /**
   * @param items in the order in which images of one host and group are started
   * @param groupOf groups take turns before hosts do: a job with a thousand hosts must not delay one with a few
   */
  constructor(
    items: readonly Item[],
    { hostOf, groupOf }: { hostOf: (item: Item) => string; groupOf: (item: Item) => string },
    health: HostHealth,
  ) {
    this.#health = health;
    for (const line of this.#linesOf(items, hostOf, groupOf)) {
      // Reversed, so that taking the next one is a pop.
      line.items.reverse();
      this.#left[line.host.standing] += line.items.length;
      enqueue(line);
    }
  }

  /** The next image that may be started; undefined when none remains or all that remain have to wait. */
  take(): Taken<Item> | undefined {
    for (const [index, group] of this.#groups.sort((one, other) => fetchesOf(one) - fetchesOf(other)).entries()) {
      const line = this.#nextLine(group);
      if (line === undefined) continue;
      // After groups with as few fetches.
      this.#groups.push(...this.#groups.splice(index, 1));
      return this.#takeFrom(line);
    }
    return undefined;
  }

  /** Hosts that have not responded get few fetches anyway. */
  mayStepAside({ line }: Taken<Item>): boolean {
    return line.host.standing === 'answers' || line.host.standing === 'unknown';
  }

  /** Makes room for other images, but not within the shares of its job and its host: its fetch hangs. */
  stepAside(taken: Taken<Item>): void {
    taken.isAside = true;
    taken.line.aside++;
    this.#active[taken.line.host.standing]--;
  }

  /** @returns the images that are withdrawn since the host rests now */
  release({ line, isAside }: Taken<Item>): Item[] {
    const { host } = line;
    const wasBusy = host.active >= host.atOnce;
    if (isAside) {
      line.aside--;
      this.#active[host.standing]++;
    }
    this.#count(line, -1);
    const changed = this.#judge(host);
    if (host.standing === 'resting') return this.#withdraw(host);
    if (wasBusy || changed) for (const line of host.lines) host.active < host.atOnce ? enqueue(line) : line.ticket++;
    return [];
  }

  /** Withdraws all images of resting hosts. */
  withdrawResting(): Item[] {
    if (this.#known.resting === 0) return [];
    return [...this.#hosts.values()].flatMap((host) => (host.standing === 'resting' ? this.#withdraw(host) : []));
  }

  /** Images that were never started, in no particular order. */
  rest(): Item[] {
    return [...this.#hosts.values()].flatMap(({ lines }) => lines.flatMap(({ items }) => items));
  }

  #linesOf(
    items: readonly Item[],
    hostOf: (item: Item) => string,
    groupOf: (item: Item) => string,
  ): Iterable<Line<Item>> {
    const groups = new Map<string, { group: Group<Item>; lines: Map<string, Line<Item>> }>();
    const all: Line<Item>[] = [];
    for (const item of items) {
      const { group, lines } = getOrAdd(groups, groupOf(item), () => ({ group: this.#addGroup(), lines: new Map() }));
      const line = getOrAdd(lines, hostOf(item), (name) => {
        const host = getOrAdd(this.#hosts, name, () => this.#meet(name));
        const added: Line<Item> = { host, group, items: [], active: 0, aside: 0, ticket: 0 };
        host.lines.push(added);
        all.push(added);
        return added;
      });
      line.items.push(item);
    }
    return all;
  }

  #addGroup(): Group<Item> {
    const group: Group<Item> = {
      lines: { answers: new Queue(), unknown: new Queue(), suspect: new Queue(), resting: new Queue() },
      active: noneOfEach(),
    };
    this.#groups.push(group);
    return group;
  }

  #meet(name: string): Host<Item> {
    const standing = this.#health.standingOf(name);
    this.#known[standing]++;
    return { name, standing, atOnce: this.#health.fetchesAtOnce(name), active: 0, lines: [] };
  }

  #nextLine(group: Group<Item>): Line<Item> | undefined {
    for (const standing of STANDINGS.toSorted((one, other) => group.active[one] - group.active[other])) {
      const line = this.#mayStart(standing) ? firstOf(group.lines[standing]) : undefined;
      if (line !== undefined) return line;
    }
    return undefined;
  }

  #mayStart(standing: Standing): boolean {
    if (standing === 'answers') return true;
    if (this.#active.unknown + this.#active.suspect >= this.#unprovenFetches()) return false;
    const othersWait = this.#left.answers + this.#left.unknown > 0;
    return standing === 'unknown' || !othersWait || this.#active.suspect < SUSPECT_FETCHES;
  }

  /** How many fetches hosts without a response may have: all, unless some do not respond and other hosts need them. */
  #unprovenFetches(): number {
    const { answers, suspect, resting } = this.#known;
    const silent = suspect + resting;
    if (silent === 0 || this.#left.answers === 0) return IMAGES_IN_FLIGHT;
    return Math.max(MIN_UNPROVEN_FETCHES, Math.round((IMAGES_IN_FLIGHT * answers) / (answers + silent)));
  }

  #takeFrom(line: Line<Item>): Taken<Item> {
    const { host, items } = line;
    const item = items.pop() as Item;
    this.#left[host.standing]--;
    this.#count(line, 1);
    if (host.active < host.atOnce) enqueue(line);
    else for (const other of host.lines) other.ticket++;
    return { host: host.name, item, line, isAside: false };
  }

  /** Counts a fetch that starts or ends. */
  #count(line: Line<Item>, more: 1 | -1): void {
    const { host, group } = line;
    line.active += more;
    host.active += more;
    group.active[host.standing] += more;
    this.#active[host.standing] += more;
  }

  /** Updates the standing of a host. @returns whether that changes which of its images may be started */
  #judge(host: Host<Item>): boolean {
    const { standing, atOnce } = host;
    host.standing = this.#health.standingOf(host.name);
    host.atOnce = this.#health.fetchesAtOnce(host.name);
    if (host.standing === standing) return host.atOnce !== atOnce;
    const left = leftOf(host);
    for (const [was, sign] of [[standing, -1] as const, [host.standing, 1] as const]) {
      this.#known[was] += sign;
      this.#left[was] += sign * left;
      for (const { group, active, aside } of host.lines) {
        this.#active[was] += sign * (active - aside);
        group.active[was] += sign * active;
      }
    }
    return true;
  }

  #withdraw(host: Host<Item>): Item[] {
    this.#left[host.standing] -= leftOf(host);
    for (const line of host.lines) line.ticket++;
    return host.lines.flatMap(({ items }) => items.splice(0).reverse());
  }
}

function enqueue<Item>(line: Line<Item>): void {
  line.ticket++;
  if (line.items.length > 0) line.group.lines[line.host.standing].push({ line, ticket: line.ticket });
}

function firstOf<Item>(queue: Queue<{ line: Line<Item>; ticket: number }>): Line<Item> | undefined {
  for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
    if (entry.ticket === entry.line.ticket) return entry.line;
  }
  return undefined;
}

function fetchesOf<Item>({ active }: Group<Item>): number {
  return active.answers + active.unknown + active.suspect + active.resting;
}

function leftOf<Item>({ lines }: Host<Item>): number {
  return lines.reduce((sum, { items }) => sum + items.length, 0);
}

function noneOfEach(): Record<Standing, number> {
  return { answers: 0, unknown: 0, suspect: 0, resting: 0 };
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: (key: Key) => Value): Value {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make(key);
  map.set(key, made);
  return made;
}
