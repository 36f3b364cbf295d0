import { IMAGES_ASIDE, IMAGES_IN_FLIGHT } from '../../contract/limits.ts';

/** The slot of an image among those in flight. Must be released exactly once. */
export type Slot = {
  /** Makes room for another image while this one holds next to no memory. @returns whether it did */
  stepAside(): boolean;
  /** Settles once there is room for the image to hold memory; from then on it cannot step aside. */
  comeBack(): Promise<void>;
  release(): void;
};

type State = 'counted' | 'stays' | 'aside' | 'waiting' | 'released';

/**
 * Bounds how many images hold memory. A bounded number of others may be in progress too, as long as they only wait for their
 * servers; when these continue, they come before new images.
 */
export class Slots {
  #counted = 0;
  #aside = 0;
  readonly #waiting = new Set<() => void>();

  /** @param max images that may hold memory, at most `IMAGES_IN_FLIGHT` */
  hasRoom(max: number = IMAGES_IN_FLIGHT): boolean {
    return this.#counted < max && this.#waiting.size === 0;
  }

  get isEmpty(): boolean {
    return this.#counted + this.#aside === 0;
  }

  /** Call it only while there is room. */
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
