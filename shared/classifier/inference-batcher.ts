import { INFERENCE_BATCH_SIZE, INFERENCE_MAX_WAIT_MS } from '../contract/limits.ts';

type Waiting<Answer> = {
  pixels: Uint8Array;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
};

/** A place in a coming batch; it must be either filled or given up. */
export type BatchSlot<Answer> = {
  submit(pixels: Uint8Array): Promise<Answer>;
  release(): void;
};

/**
 * Gathers images from whatever message into batches for inference. A batch runs when it is full,
 * when every image that is under way has arrived, or when its first image has waited long enough.
 */
export class InferenceBatcher<Answer> {
  readonly #infer: (images: Uint8Array[]) => Answer[];
  /** Places that were reserved and neither filled nor given up: more images may still come. */
  #underWay = 0;
  #waiting: Waiting<Answer>[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param infer runs a batch, one element of the answer an image */
  constructor(infer: (images: Uint8Array[]) => Answer[]) {
    this.#infer = infer;
  }

  /** Announces an image, before its fetch starts. */
  reserve(): BatchSlot<Answer> {
    this.#underWay++;
    let open = true;
    const close = () => {
      if (!open) throw new Error('a place in a batch was used twice');
      open = false;
      this.#underWay--;
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

  #add(pixels: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ pixels, resolve, reject });
      this.#timer ??= setTimeout(() => this.#run(), INFERENCE_MAX_WAIT_MS);
      this.#runIfDue();
    });
  }

  #runIfDue(): void {
    if (this.#waiting.length === 0) return;
    if (this.#waiting.length === INFERENCE_BATCH_SIZE || this.#underWay === 0) this.#run();
  }

  #run(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#settle(batch);
  }

  /** A batch that fails is tried image by image, so that one image fails no other. */
  #settle(batch: readonly Waiting<Answer>[]): void {
    try {
      const answers = this.#infer(batch.map(({ pixels }) => pixels));
      batch.forEach(({ resolve }, index) => {
        resolve(answers[index] as Answer);
      });
    } catch (error) {
      const [first, ...others] = batch;
      if (others.length === 0) first?.reject(error);
      else for (const one of batch) this.#settle([one]);
    }
  }
}
