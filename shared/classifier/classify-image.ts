import { ImageFailure } from '../contract/error-codes.ts';
import { describeError } from '../contract/redact.ts';
import type { Classification } from '../contract/result-line.ts';
import type { DecodedImage } from './decode/decode-image.ts';
import type { BatchSlot } from './inference-batcher.ts';
import type { InferenceResult } from './inference-result.ts';
import { PutOff } from './put-off.ts';

/** A stage of an image whose duration is reported. */
export type TimedStage = 'fetch' | 'decode' | 'infer';
/** Called with the duration of each stage of each image, in milliseconds; `infer` includes the wait for its batch. */
export type StageTimer = (stage: TimedStage, milliseconds: number) => void;

/** How an image gets its pixels. Rejects when the signal is aborted, or on a bug. */
export type ImageStages<Other> = {
  fetch(): Promise<Buffer | ImageFailure>;
  decode(bytes: Buffer): Promise<DecodedImage | ImageFailure | Other>;
  /** Called once the image's host is free for the next fetch. */
  onFetched(): void;
};

/**
 * The stages of one image: fetch, decode, infer. An expected failure is returned; so is an unexpected error, as
 * `internal_error`, since one image must not fail the others. It rejects only when `signal` is aborted, with the signal's
 * reason.
 *
 * @param slot in the inference batch; submitted or released when this settles
 */
export async function classifyImage<Other extends PutOff = never>(
  stages: ImageStages<Other>,
  slot: BatchSlot<InferenceResult>,
  time: StageTimer,
  signal: AbortSignal,
): Promise<Classification | ImageFailure | Other> {
  let decoded: DecodedImage | ImageFailure | Other;
  try {
    decoded = await fetchAndDecode(stages, time);
  } catch (error) {
    decoded = new ImageFailure('internal_error', describeError(error));
  }
  if (decoded instanceof ImageFailure || decoded instanceof PutOff) {
    slot.release();
    signal.throwIfAborted();
    return decoded;
  }
  const started = performance.now();
  try {
    const result = await slot.submit(decoded.pixels);
    return { ...result, image: decoded.facts };
  } catch (error) {
    return new ImageFailure('inference_failed', describeError(error));
  } finally {
    time('infer', performance.now() - started);
  }
}

async function fetchAndDecode<Other>(
  { fetch, decode, onFetched }: ImageStages<Other>,
  time: StageTimer,
): Promise<DecodedImage | ImageFailure | Other> {
  const started = performance.now();
  const bytes = await fetch().finally(onFetched);
  const fetched = performance.now();
  time('fetch', fetched - started);
  if (bytes instanceof ImageFailure) return bytes;
  const decoded = await decode(bytes);
  time('decode', performance.now() - fetched);
  return decoded;
}
