import type { ImageFailure } from '../contract/error-codes.ts';
import { ABANDON_AFTER_MS, STEP_ASIDE_AFTER_MS } from '../contract/limits.ts';
import type { Classification } from '../contract/result-line.ts';
import { hostOf } from '../contract/urls.ts';
import { NEVER_ABORTED } from '../runtime/deadline.ts';
import { classifyImage, type StageTimer } from './classify-image.ts';
import { ApartQueue } from './decode/apart-queue.ts';
import { DecodeTurns } from './decode/decode-turns.ts';
import { HostHealth } from './fetch/host-health.ts';
import { HostSchedule, type Taken } from './fetch/host-schedule.ts';
import { type Slot, Slots } from './fetch/slots.ts';
import type { Classifier } from './infer.ts';
import { InferenceBatcher } from './inference-batcher.ts';
import { type BatchObserver, timedInference } from './inference-result.ts';
import type { PutOff } from './put-off.ts';

/** The parts that the stages need: one of each per process. */
export type Pipeline = {
  /**
   * The bytes at a URL; rejects only when the signal is aborted or on a bug.
   *
   * @param beforeContent awaited before more than some kilobytes are held
   */
  fetch(url: string, signal: AbortSignal, beforeContent?: () => Promise<void>): Promise<Buffer | ImageFailure>;
  classifier: Classifier;
  /** Labels per image. */
  topK: number;
  /** What is known of hosts; without it, each call starts from nothing, and lets no host rest. */
  hosts?: HostHealth;
  /** The queue of images that look expensive to decode; without it, all of them wait, and none is put off. */
  apart?: ApartQueue;
  close(): Promise<void>;
};

/**
 * The outcome of an image: `not_reached` when the signal was aborted first, `cancelled` when its run was cancelled before
 * its turn, `PutOff` when a try could not succeed now.
 */
export type ImageOutcome = Classification | ImageFailure | PutOff | 'not_reached' | 'cancelled';

/** An image to classify. */
export type ImageToClassify = {
  url: string;
  /** Groups take turns, however many images each has. */
  group?: string;
  /** Whether it fails instead of being put off: its host is then tried once more, even if it rests. */
  isLastChance?: boolean;
  isCancelled?: () => boolean;
};

/** What is reported while images are classified. */
export type StageObserver = { stage: StageTimer; batch: BatchObserver };

/** How images are classified, and who is informed. */
export type ClassifyOptions<Image extends ImageToClassify> = {
  /**
   * Called once per image, in the order in which they finish; must not throw. An image that hangs where nothing can
   * interrupt it (a native decoder) gets no outcome: after the signal it is waited for at most `ABANDON_AFTER_MS`.
   */
  onOutcome: (image: Image, outcome: ImageOutcome) => void;
  /** Once it is aborted, nothing is started and fetches are abandoned. */
  signal?: AbortSignal;
  observe?: StageObserver;
};

const NO_OBSERVER: StageObserver = { stage: () => {}, batch: () => {} };

/**
 * Classifies many images concurrently: their fetches, decodes and inferences overlap, and they share inference batches.
 * However many there are, at most `IMAGES_IN_FLIGHT` of them are in memory; a fetch that has received next to nothing after
 * a while makes room for others.
 */
export async function classifyImages<Image extends ImageToClassify>(
  images: readonly Image[],
  {
    fetch,
    classifier,
    topK,
    hosts = new HostHealth(),
    apart = new ApartQueue({ most: Number.POSITIVE_INFINITY }),
  }: Pipeline,
  { onOutcome, signal = NEVER_ABORTED, observe = NO_OBSERVER }: ClassifyOptions<Image>,
): Promise<void> {
  const batches = new InferenceBatcher(timedInference(classifier, topK, observe.batch));
  const keys = { hostOf: ({ url }: Image) => hostOf(url), groupOf: ({ group = '' }: Image) => group };
  for (const { url, isLastChance } of images) if (isLastChance) hosts.giveAnotherChance(hostOf(url));
  const schedule = new HostSchedule(images, keys, hosts);
  const finished = Promise.withResolvers<void>();
  const slots = new Slots();
  const decodes = new DecodeTurns(apart, classifier.format, signal);

  const startMore = () => {
    while (slots.hasRoom(decodes.imagesInFlight) && !signal.aborted) {
      const next = schedule.take();
      if (next === undefined) break;
      const slot = slots.take();
      classifyOne(next, slot).then(() => {
        slot.release();
        startMore();
      }, finished.reject);
    }
    if (slots.isEmpty) finished.resolve();
  };

  const putOff = (images: readonly Image[]) => {
    for (const image of images) {
      onOutcome(image, image.isCancelled?.() ? 'cancelled' : hosts.putOff(hostOf(image.url)));
    }
  };
  const stepAside = (taken: Taken<Image>, slot: Slot) => {
    if (!schedule.mayStepAside(taken) || !slot.stepAside()) return;
    schedule.stepAside(taken);
    startMore();
  };
  const fetchWatched = async (taken: Taken<Image>, slot: Slot) => {
    const started = performance.now();
    const impatience = setTimeout(() => stepAside(taken, slot), STEP_ASIDE_AFTER_MS);
    const fetched = await fetch(taken.item.url, signal, slot.comeBack).finally(() => clearTimeout(impatience));
    hosts.saw(taken.host, fetched, performance.now() - started);
    return fetched;
  };
  const classifyOne = async (taken: Taken<Image>, slot: Slot) => {
    const image = taken.item;
    const freeHost = () => putOff(schedule.release(taken));
    if (image.isCancelled?.()) {
      freeHost();
      onOutcome(image, 'cancelled');
      return;
    }
    const stages = {
      fetch: () => fetchWatched(taken, slot),
      async decode(bytes: Buffer) {
        await slot.comeBack();
        return decodes.decode(bytes);
      },
      onFetched() {
        freeHost();
        startMore();
      },
    };
    const outcome = await classifyImage(stages, batches.reserve(), observe.stage, signal).catch((error: unknown) => {
      if (signal.aborted) return 'not_reached' as const;
      throw error;
    });
    if (!abandoned) onOutcome(image, outcome);
  };

  let abandoned = false;
  const abandonLater = () => setTimeout(finished.resolve, ABANDON_AFTER_MS).unref();
  signal.addEventListener('abort', abandonLater, { once: true });
  if (!signal.aborted) putOff(schedule.withdrawResting());
  startMore();
  await finished.promise.finally(() => {
    abandoned = true;
    signal.removeEventListener('abort', abandonLater);
  });
  for (const image of schedule.rest()) onOutcome(image, 'not_reached');
}
