import { INFERENCE_BATCH_SIZE, INFERENCE_MAX_WAIT_MS } from '../contract/limits.ts';

type Waiting<Result> = {
  pixels: Uint8Array;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
};

/** A slot of a batch that is being gathered; it must be either submitted or released. */
export type BatchSlot<Result> = {
  submit(pixels: Uint8Array): Promise<Result>;
  release(): void;
};

/**
 * Dynamic batching: gathers images of all messages into batches for inference. A batch runs when it is full, when every
 * reserved slot is submitted or released, or when its first image has waited `INFERENCE_MAX_WAIT_MS`.
 */
export class InferenceBatcher<Result> {
  readonly #infer: (images: Uint8Array[]) => Result[];
  /** Slots that are reserved, and neither submitted nor released: more images may still come. */
  #reserved = 0;
  #waiting: Waiting<Result>[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param infer runs a batch; returns one element per image */
  constructor(infer: (images: Uint8Array[]) => Result[]) {
    this.#infer = infer;
  }

  /** Reserves a slot for an image, before its fetch starts. */
  reserve(): BatchSlot<Result> {
    this.#reserved++;
    let isOpen = true;
    const close = () => {
      if (!isOpen) throw new Error('a slot of a batch was used twice');
      isOpen = false;
      this.#reserved--;
    };
    return {
      submit: (pixels) => {
        close();
        return this.#add(pixels);
      },
      release: () => {
        close();
        this.#runIfDue();
      },
    };
  }

  #add(pixels: Uint8Array): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ pixels, resolve, reject });
      this.#timer ??= setTimeout(() => this.#run(), INFERENCE_MAX_WAIT_MS);
      this.#runIfDue();
    });
  }

  #runIfDue(): void {
    if (this.#waiting.length === 0) return;
    if (this.#waiting.length === INFERENCE_BATCH_SIZE || this.#reserved === 0) this.#run();
  }

  #run(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#settle(batch);
  }

  /** A batch that fails is retried image by image, so that one image cannot fail the others. */
  #settle(batch: readonly Waiting<Result>[]): void {
    try {
      const results = this.#infer(batch.map(({ pixels }) => pixels));
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
    } catch (error) {
      const [first, ...others] = batch;
      if (others.length === 0) first?.reject(error);
      else for (const one of batch) this.#settle([one]);
    }
  }
}
