import { IdSum } from '../../shared/contract/id-sum.ts';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import type { FailureLine } from '../../shared/contract/result-line.ts';
import { IdSet } from '../../shared/jobs/id-set.ts';
import type { FailureLines } from './failure-lines.ts';

/** The images that have an outcome, each counted once. */
export class CopiedImages implements Disposable {
  readonly #ids = new IdSet();
  readonly #sum = new IdSum();
  /** By the kind of an image's first line; results are read first. */
  readonly #counts = { results: 0, failures: 0 };
  /** Failure lines that were left out. */
  unreadable = 0;

  add(kind: PartKind, lines: readonly { id: string }[]): void {
    for (const { id } of lines) {
      if (!this.#ids.add(id)) continue;
      this.#sum.add(id);
      this.#counts[kind]++;
    }
  }

  /** Counts malformed lines and leaves them out. */
  readable({ lines, unreadable }: FailureLines): FailureLine[] {
    this.unreadable += unreadable;
    return lines;
  }

  get classified(): number {
    return this.#counts.results;
  }

  get failed(): number {
    return this.#counts.failures;
  }

  get images(): number {
    return this.#ids.size;
  }

  get idSum(): string {
    return this.#sum.toString();
  }

  [Symbol.dispose](): void {
    this.#ids[Symbol.dispose]();
  }
}
