import type { Classification } from '../contract/result-line.ts';
import type { Classifier } from './infer.ts';

/** What inference returns for an image: its labels, and its embedding if the classifier was loaded for that. */
export type InferenceResult = Omit<Classification, 'image'>;

/** Called with the size of each inference batch and its duration in milliseconds. */
export type BatchObserver = (images: number, milliseconds: number) => void;

/**
 * Inference of a batch, timed. Blocks the thread, as `infer` does.
 *
 * @param k labels per image
 */
export function timedInference(
  classifier: Classifier,
  k: number,
  observe: BatchObserver,
): (images: readonly Uint8Array[]) => InferenceResult[] {
  return (images) => {
    const started = performance.now();
    const results = classifier.embed?.(images, k) ?? classifier.infer(images, k).map((labels) => ({ labels }));
    observe(images.length, performance.now() - started);
    return results;
  };
}
