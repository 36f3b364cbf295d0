import pMap from 'p-map';
import type { JobRun } from '../../shared/contract/job-run.ts';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { latestOf, type Part, partPages } from '../../shared/jobs/list-parts.ts';
import { PartTally } from '../../shared/jobs/part-tally.ts';
import type { CountedPart } from '../../shared/jobs/part-walk.ts';

/** Digests are spread evenly, so their first digit splits a listing into sixteen of the same size. */
const SECTIONS = [...'0123456789abcdef'];
/** A kind with more files than fit into this many pages is listed section by section. */
const PAGES_AT_ONCE = 3;
/** Minimum requests per poll for one kind of files that is listed in sections; a section is listed completely. */
const REQUESTS_PER_LOOK = 4;
/** Tracked file names of a job: about 70 MB. */
const MAX_TRACKED_FILES = 100_000;
/** Digits of a digest that fit exactly into a number. */
const REACH_DIGITS = 13;

/** Counts changes of all jobs' files, so that versions are unique across instances. */
let changesSoFar = 0;

/**
 * The names of a run's part files, remembered between polls. A job with few files is listed completely each time. Names
 * begin with a digest, so new ones stand anywhere and no listing can begin where the last one ended; for a job with
 * many files, each poll lists some of sixteen sections again, in turn, so that its cost does not depend on the number
 * of files.
 */
export class JobFiles {
  readonly #target: JobTarget;
  readonly #of: JobRun;
  readonly #kinds: readonly KindFiles[];
  #version = 0;
  #merged: { version: number; counted: CountedPart[]; tally: PartTally } | undefined;

  constructor(target: JobTarget, of: JobRun) {
    this.#target = target;
    this.#of = of;
    this.#kinds = [new KindFiles(target, 'failures', of), new KindFiles(target, 'results', of)];
  }

  /**
   * Lists files that may have changed, or some of them.
   *
   * @returns false when there are too many to track; then none are known
   */
  async look(): Promise<boolean> {
    const changes = await Promise.all(this.#kinds.map((kind) => kind.look()));
    if (changes.includes('changed')) this.#version = ++changesSoFar;
    return !changes.includes('too many') && this.size <= MAX_TRACKED_FILES;
  }

  /** Changes with the files; unique across instances, 0 without files. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#kinds.reduce((sum, { size }) => sum + size, 0);
  }

  /** All files, including those that do not count any more. */
  *reached(): Generator<Part> {
    for (const { parts } of this.#kinds) yield* parts();
  }

  /** Those that count: of several with lines of the same images the latest, and a result before a failure. */
  get counted(): CountedPart[] {
    return this.#current().counted;
  }

  get tally(): PartTally {
    return this.#current().tally;
  }

  #current(): { counted: CountedPart[]; tally: PartTally } {
    if (this.#merged?.version !== this.#version) {
      const counted = this.#merge();
      const tally = PartTally.ofKnown(this.#target, this.#of, this.reached(), counted);
      this.#merged = { version: this.#version, counted, tally };
    }
    return this.#merged;
  }

  #merge(): CountedPart[] {
    const byDigest = new Map<string, CountedPart>();
    // Results come last, and replace failures.
    for (const { kind, parts } of this.#kinds) {
      for (const part of parts()) {
        const other = byDigest.get(part.digest);
        const isOfSameKind = other?.kind === kind;
        byDigest.set(part.digest, { kind, part: isOfSameKind ? latestOf([other.part, part]) : part });
      }
    }
    return [...byDigest.values()];
  }
}

type LookResult = 'changed' | 'same' | 'too many';

/** The files of one kind. */
class KindFiles {
  readonly kind: PartKind;
  readonly #target: JobTarget;
  readonly #of: JobRun;
  /** By the first digit of their digests. */
  readonly #sections = new Map<string, Map<string, Part>>();
  #isInSections = false;
  #next = 0;

  constructor(target: JobTarget, kind: PartKind, of: JobRun) {
    this.#target = target;
    this.kind = kind;
    this.#of = of;
  }

  get size(): number {
    let size = 0;
    for (const section of this.#sections.values()) size += section.size;
    return size;
  }

  readonly parts = (): Iterable<Part> => this.#parts();

  *#parts(): Generator<Part> {
    for (const section of this.#sections.values()) yield* section.values();
  }

  async look(): Promise<LookResult> {
    const hasChanged = this.#isInSections ? await this.#lookAtSome() : await this.#lookAtAll();
    if (hasChanged === undefined) return 'too many';
    return hasChanged ? 'changed' : 'same';
  }

  /** @returns whether anything has changed; undefined when there are too many */
  async #lookAtAll(): Promise<boolean | undefined> {
    const { parts, isWhole } = await this.#listFew();
    if (isWhole) return this.#takeAll(parts);
    if (estimatedCount(parts) > MAX_TRACKED_FILES) return undefined;
    this.#isInSections = true;
    const changes = await pMap(SECTIONS, (digit) => this.#lookAt(digit), { concurrency: SECTIONS.length });
    return changes.some(({ hasChanged }) => hasChanged);
  }

  async #lookAtSome(): Promise<boolean> {
    let hasChanged = false;
    for (let requests = 0, sections = 0; requests < REQUESTS_PER_LOOK && sections < SECTIONS.length; sections++) {
      const digit = SECTIONS[this.#next] ?? '0';
      this.#next = (this.#next + 1) % SECTIONS.length;
      const look = await this.#lookAt(digit);
      requests += look.requests;
      hasChanged ||= look.hasChanged;
    }
    return hasChanged;
  }

  async #lookAt(digit: string): Promise<{ hasChanged: boolean; requests: number }> {
    const parts: Part[] = [];
    let requests = 0;
    for await (const page of partPages(this.#target, this.kind, this.#of, { digits: digit })) {
      parts.push(...page.parts);
      requests++;
    }
    return { hasChanged: this.#take(digit, parts), requests };
  }

  /** The first pages; all files, if there are few. */
  async #listFew(): Promise<{ parts: Part[]; isWhole: boolean }> {
    const parts: Part[] = [];
    let pages = 0;
    for await (const page of partPages(this.#target, this.kind, this.#of)) {
      parts.push(...page.parts);
      if (!page.isLast && ++pages === PAGES_AT_ONCE) return { parts, isWhole: false };
    }
    return { parts, isWhole: true };
  }

  #takeAll(parts: readonly Part[]): boolean {
    const bySection = Map.groupBy(parts, ({ digest }) => digest.slice(0, 1));
    const changes = SECTIONS.map((digit) => this.#take(digit, bySection.get(digit) ?? []));
    return changes.includes(true);
  }

  #take(digit: string, parts: readonly Part[]): boolean {
    const before = this.#sections.get(digit) ?? new Map<string, Part>();
    const isSame =
      before.size === parts.length &&
      parts.every(({ key, writtenAt }) => before.get(key)?.writtenAt.getTime() === writtenAt.getTime());
    if (!isSame) this.#sections.set(digit, new Map(parts.map((part) => [part.key, part])));
    return !isSame;
  }
}

/** Estimates the number of files from the first ones: digests are spread evenly. */
function estimatedCount(first: readonly Part[]): number {
  const reach = Number.parseInt(first.at(-1)?.digest.slice(0, REACH_DIGITS) ?? '0', 16) / 16 ** REACH_DIGITS;
  return reach === 0 ? Number.POSITIVE_INFINITY : first.length / reach;
}
