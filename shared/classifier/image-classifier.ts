import type { ImageFailure } from '../contract/error-codes.ts';
import type { Classification } from '../contract/result-line.ts';
import { whenAborted } from '../runtime/deadline-signal.ts';
import { classifyImage, type StageTimer } from './classify-image.ts';
import type { BatchObserver } from './classify-images.ts';
import { decodeImage } from './decode/decode-image.ts';
import { answersOf } from './fetch/answer.ts';
import type { Classifier } from './infer.ts';
import { InferenceBatcher } from './inference-batcher.ts';

/** Classifies one image at a call; calls that overlap share inference batches. */
export type ImageClassifier = {
  /**
   * @param fetch gives the image's bytes
   * @returns the best labels, best first; `deadline` when there was no time for them
   */
  classify(
    fetch: () => Promise<Buffer | ImageFailure>,
    time: StageTimer,
    signal: AbortSignal,
  ): Promise<Classification | ImageFailure | 'deadline'>;
};

/** @param k labels an image; callers who want fewer leave the rest */
export function createImageClassifier(classifier: Classifier, k: number, observe: BatchObserver): ImageClassifier {
  const batches = new InferenceBatcher((pixels) => {
    const started = performance.now();
    const answers = answersOf(classifier, pixels, k);
    observe(pixels.length, performance.now() - started);
    return answers;
  });
  return {
    async classify(fetch, time, signal) {
      const decode = (bytes: Buffer) => decodeImage(bytes, classifier.format, signal);
      const stages = { fetch, decode, onFetched: () => {} };
      const classified = classifyImage<never>(stages, batches.reserve(), time, signal).catch((error: unknown) => {
        if (signal.aborted) return 'deadline' as const;
        throw error;
      });
      // A decoder cannot be broken off: it ends by itself, and nobody waits for it.
      return Promise.race([classified, whenAborted(signal, () => 'deadline' as const)]);
    },
  };
}
