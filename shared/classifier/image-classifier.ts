import type { ImageFailure } from '../contract/error-codes.ts';
import type { Classification } from '../contract/result-line.ts';
import { whenAborted } from '../runtime/deadline.ts';
import { classifyImage, type StageTimer } from './classify-image.ts';
import { decodeImage } from './decode/decode-image.ts';
import type { Classifier } from './infer.ts';
import { InferenceBatcher } from './inference-batcher.ts';
import { type BatchObserver, timedInference } from './inference-result.ts';

/** Classifies one image per call; overlapping calls share inference batches. */
export type ImageClassifier = {
  /**
   * @param fetch returns the image's bytes
   * @returns the labels, best first; `deadline` when the signal was aborted first
   */
  classify(
    fetch: () => Promise<Buffer | ImageFailure>,
    time: StageTimer,
    signal: AbortSignal,
  ): Promise<Classification | ImageFailure | 'deadline'>;
};

/** @param k labels per image; callers that need fewer drop the rest */
export function createImageClassifier(classifier: Classifier, k: number, observe: BatchObserver): ImageClassifier {
  const batches = new InferenceBatcher(timedInference(classifier, k, observe));
  return {
    async classify(fetch, time, signal) {
      const decode = (bytes: Buffer) => decodeImage(bytes, classifier.format, signal);
      const stages = { fetch, decode, onFetched: () => {} };
      const classified = classifyImage<never>(stages, batches.reserve(), time, signal).catch((error: unknown) => {
        if (signal.aborted) return 'deadline' as const;
        throw error;
      });
      // A decoder cannot be interrupted: it ends by itself, and is not waited for.
      return Promise.race([classified, whenAborted(signal, () => 'deadline' as const)]);
    },
  };
}
