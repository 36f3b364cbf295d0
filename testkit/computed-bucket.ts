import { type KeySequence, keysOf, type LargeJob } from './large-job.ts';

export type ListedObject = { key: string; bytes: number; writtenAt: Date };
export type ListQuery = { prefix: string; after: string; delimiter: string; maxKeys: number };
export type ListedPage = { objects: ListedObject[]; commonPrefixes: string[]; isTruncated: boolean };

/** A bucket whose objects are computed, with what was put into it and taken out of it since. */
export class ComputedBucket {
  readonly #sequences: Sequence[];
  readonly #put = new Map<string, { body: string; writtenAt: Date }>();
  #sortedPut: string[] | undefined;

  constructor(jobs: readonly LargeJob[]) {
    this.#sequences = jobs
      .flatMap(keysOf)
      .map((keys) => new Sequence(keys))
      .sort((one, other) => (one.first < other.first ? -1 : 1));
  }

  get(key: string): string | undefined {
    return this.#put.get(key)?.body ?? this.#place(key, (sequence, place) => sequence.keys.bodyAt(place));
  }

  put(key: string, body: string): void {
    this.#put.set(key, { body, writtenAt: new Date() });
    this.#sortedPut = undefined;
  }

  delete(key: string): void {
    if (this.#put.delete(key)) this.#sortedPut = undefined;
    this.#place(key, (sequence, place) => sequence.remove(place));
  }

  list({ prefix, after, delimiter, maxKeys }: ListQuery): ListedPage {
    const page: ListedPage = { objects: [], commonPrefixes: [], isTruncated: false };
    let from = after < prefix ? prefix : `${after}\0`;
    for (;;) {
      const next = this.#next(from);
      if (next === undefined || !next.key.startsWith(prefix)) return page;
      if (page.objects.length + page.commonPrefixes.length === maxKeys) return { ...page, isTruncated: true };
      const common = commonPrefix(next.key, prefix, delimiter);
      if (common === undefined) page.objects.push(next);
      // A page goes on after the last of what it has.
      else if (common !== after) page.commonPrefixes.push(common);
      from = common === undefined ? `${next.key}\0` : `${common}\uffff`;
    }
  }

  /** The first object at that key or after it. */
  #next(from: string): ListedObject | undefined {
    this.#sortedPut ??= [...this.#put.keys()].sort();
    const put = this.#sortedPut[lowerBound(this.#sortedPut.length, (at) => this.#sortedPut?.[at] ?? '', from)];
    const sequence = this.#sequences.find((one) => one.last >= from && one.nextFrom(from) !== undefined);
    const computed = sequence?.nextFrom(from);
    if (put === undefined || (computed !== undefined && computed.key < put)) return computed;
    const { body = '', writtenAt = new Date() } = this.#put.get(put) ?? {};
    return { key: put, bytes: body.length, writtenAt };
  }

  #place<Result>(key: string, use: (sequence: Sequence, place: number) => Result): Result | undefined {
    for (const sequence of this.#sequences) {
      const place = sequence.placeOf(key);
      if (place !== undefined) return use(sequence, place);
    }
    return undefined;
  }
}

class Sequence {
  readonly keys: KeySequence;
  readonly first: string;
  readonly last: string;
  /** From a place that was removed to one after it; made at the first removal. */
  #skip: Int32Array | undefined;

  constructor(keys: KeySequence) {
    this.keys = keys;
    this.first = keys.keyAt(0);
    this.last = keys.keyAt(keys.count - 1);
  }

  nextFrom(from: string): ListedObject | undefined {
    const { count, keyAt, bytesAt, writtenAt } = this.keys;
    const place = this.#present(lowerBound(count, keyAt, from));
    return place >= count ? undefined : { key: keyAt(place), bytes: bytesAt(place), writtenAt: writtenAt(place) };
  }

  placeOf(key: string): number | undefined {
    if (key < this.first || key > this.last) return undefined;
    const place = lowerBound(this.keys.count, this.keys.keyAt, key);
    return this.#present(place) === place && this.keys.keyAt(place) === key ? place : undefined;
  }

  remove(place: number): void {
    this.#skip ??= Int32Array.from({ length: this.keys.count + 1 }, (_, at) => at);
    this.#skip[place] = place + 1;
  }

  /** The place itself, or the next that was not removed. */
  #present(place: number): number {
    const skip = this.#skip;
    if (skip === undefined) return place;
    let present = place;
    while (skip[present] !== present) present = skip[present] ?? this.keys.count;
    for (let at = place; skip[at] !== present; ) {
      const next = skip[at] ?? present;
      skip[at] = present;
      at = next;
    }
    return present;
  }
}

/** The key up to the first delimiter after the prefix; undefined for a key without one. */
function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + 1);
}

/** The first of sorted keys that is not before `from`. */
function lowerBound(count: number, keyAt: (place: number) => string, from: string): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyAt(middle) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
