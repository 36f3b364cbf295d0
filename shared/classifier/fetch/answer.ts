import type { Classification } from '../../contract/result-line.ts';
import type { Classifier } from '../infer.ts';

/** What inference finds of an image. */
export type Answer = Omit<Classification, 'image'>;

/** Labels of each image, with its embedding if the classifier was loaded for that. Blocks the thread, as `infer` does. */
export function answersOf(classifier: Classifier, images: readonly Uint8Array[], k: number): Answer[] {
  return classifier.embed?.(images, k) ?? classifier.infer(images, k).map((labels) => ({ labels }));
}
