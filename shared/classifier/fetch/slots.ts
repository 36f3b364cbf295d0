import { IMAGES_ASIDE, IMAGES_IN_FLIGHT } from '../../contract/limits.ts';

/** The place of an image among those in flight. To be released once. */
export type Slot = {
  /** Makes room for another image while this one holds next to no memory. @returns whether it could */
  stepAside(): boolean;
  /** Settles once there is room for the image to hold memory; from then on it cannot step aside any more. */
  comeBack(): Promise<void>;
  release(): void;
};

type State = 'counted' | 'stays' | 'aside' | 'waiting' | 'released';

/**
 * Bounds how many images hold memory. A bounded number more may be under way beside them, as long as they only wait for
 * their servers; those of them that go on come before new ones.
 */
export class Slots {
  #counted = 0;
  #aside = 0;
  readonly #waiting = new Set<() => void>();

  /** @param most images that are to hold memory, 40 at most */
  hasRoom(most: number = IMAGES_IN_FLIGHT): boolean {
    return this.#counted < most && this.#waiting.size === 0;
  }

  get isEmpty(): boolean {
    return this.#counted + this.#aside === 0;
  }

  /** To be called while there is room. */
  take(): Slot {
    this.#counted++;
    let state: State = 'counted';
    let admit = () => {};
    return {
      stepAside: () => {
        if (state !== 'counted' || this.#aside === IMAGES_ASIDE) return false;
        state = 'aside';
        this.#aside++;
        this.#uncount();
        return true;
      },
      comeBack: () => {
        if (state !== 'aside') {
          state = 'stays';
          return Promise.resolve();
        }
        state = 'waiting';
        return new Promise((resolve) => {
          admit = () => {
            state = 'stays';
            this.#aside--;
            this.#counted++;
            resolve();
          };
          this.#waiting.add(admit);
          this.#admit();
        });
      },
      release: () => {
        this.#waiting.delete(admit);
        const wasAside = state === 'aside' || state === 'waiting';
        state = 'released';
        if (wasAside) this.#aside--;
        else this.#uncount();
      },
    };
  }

  #uncount(): void {
    this.#counted--;
    this.#admit();
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#counted === IMAGES_IN_FLIGHT) return;
      this.#waiting.delete(admit);
      admit();
    }
  }
}
