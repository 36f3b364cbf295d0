import type { ImageError } from '../contract/error-codes.ts';
import { ABANDON_AFTER_MS, IMAGES_IN_FLIGHT } from '../contract/limits.ts';
import { hostOf } from '../contract/url-host.ts';
import { type Classified, classifyImage, type StageTimer } from './classify-image.ts';
import { HostSchedule } from './host-schedule.ts';
import type { Classifier } from './infer.ts';
import { InferenceBatches } from './inference-batches.ts';

/** What the stages are made of: one of each a process. */
export type Pipeline = {
  /** The bytes at a URL; rejects only when the signal is aborted or on a defect. */
  fetch(url: string, signal: AbortSignal): Promise<Buffer | ImageError>;
  classifier: Classifier;
  /** Labels an image. */
  topK: number;
  close(): Promise<void>;
};

/**
 * What became of an image: `not_reached` when the signal was aborted first, `cancelled` when nobody
 * wanted it any more when its turn came.
 */
export type ImageOutcome = Classified | ImageError | 'not_reached' | 'cancelled';

/** An image to classify. */
export type ImageToClassify = { url: string; isCancelled?: () => boolean };

/** Told how many images each inference batch had, and how long it took in milliseconds. */
export type BatchObserver = (images: number, milliseconds: number) => void;

/**
 * Classifies many images at once: their fetches, decodes and inferences overlap, and they share
 * inference batches. However many there are, no more than 40 of them are in memory.
 *
 * @param onOutcome called once an image, in the order in which they finish; must not throw. An
 *   image that hangs where nothing can break it off (a native decoder) gets no outcome: after the
 *   signal it is waited for no longer than `ABANDON_AFTER_MS`.
 * @param signal once it is aborted, nothing is started and fetches are given up
 */
export async function classifyImages<Image extends ImageToClassify>(
  images: readonly Image[],
  { fetch, classifier, topK }: Pipeline,
  signal: AbortSignal,
  onOutcome: (image: Image, outcome: ImageOutcome) => void,
  observe: { stage: StageTimer; batch: BatchObserver },
): Promise<void> {
  const batches = new InferenceBatches((pixels) => {
    const started = performance.now();
    const labels = classifier.infer(pixels, topK);
    observe.batch(pixels.length, performance.now() - started);
    return labels;
  });
  const schedule = new HostSchedule(images, ({ url }) => hostOf(url));
  const finished = Promise.withResolvers<void>();
  let inFlight = 0;

  const startMore = () => {
    while (inFlight < IMAGES_IN_FLIGHT && !signal.aborted) {
      const next = schedule.take();
      if (next === undefined) break;
      inFlight++;
      classifyOne(next.item, next.host).then(() => {
        inFlight--;
        startMore();
      }, finished.reject);
    }
    if (inFlight === 0) finished.resolve();
  };

  const classifyOne = async (image: Image, host: string) => {
    if (image.isCancelled?.()) {
      schedule.release(host);
      onOutcome(image, 'cancelled');
      return;
    }
    const freeHost = () => {
      schedule.release(host);
      startMore();
    };
    const outcome = await classifyImage(
      () => fetch(image.url, signal),
      batches.reserve(),
      classifier.format,
      observe.stage,
      signal,
      freeHost,
    ).catch((error: unknown) => {
      if (signal.aborted) return 'not_reached' as const;
      throw error;
    });
    if (!abandoned) onOutcome(image, outcome);
  };

  let abandoned = false;
  const abandonLater = () => setTimeout(finished.resolve, ABANDON_AFTER_MS).unref();
  signal.addEventListener('abort', abandonLater, { once: true });
  startMore();
  await finished.promise.finally(() => {
    abandoned = true;
    signal.removeEventListener('abort', abandonLater);
  });
  for (const image of schedule.rest()) onOutcome(image, 'not_reached');
}
