import { ImageError } from '../contract/error-codes.ts';
import { describeThrown } from '../contract/redact.ts';
import type { Classified } from '../contract/result-line.ts';
import type { DecodedImage } from './decode/decode-image.ts';
import type { Answer } from './fetch/answer.ts';
import type { Place } from './inference-batches.ts';
import { PutOff } from './put-off.ts';

export type TimedStage = 'fetch' | 'decode' | 'infer';
/** Told how long each stage of each image took, in milliseconds; `infer` includes the wait for its batch. */
export type StageTimer = (stage: TimedStage, milliseconds: number) => void;

/** How an image comes to its pixels. Rejects when the signal is aborted, or on a defect. */
export type ImageStages<Other> = {
  fetch(): Promise<Buffer | ImageError>;
  decode(bytes: Buffer): Promise<DecodedImage | ImageError | Other>;
  /** Called once the image's server is free for the next fetch. */
  onFetched(): void;
};

/**
 * The life of one image: fetch, decode, infer. An expected failure is returned; so is a surprise,
 * as `internal_error`, since one image must not take down those beside it. It rejects only when
 * `signal` is aborted, with the signal's reason.
 *
 * @param place in the inference batch; filled or given up when this settles
 */
export async function classifyImage<Other extends PutOff = never>(
  stages: ImageStages<Other>,
  place: Place<Answer>,
  time: StageTimer,
  signal: AbortSignal,
): Promise<Classified | ImageError | Other> {
  let decoded: DecodedImage | ImageError | Other;
  try {
    decoded = await fetchAndDecode(stages, time);
  } catch (error) {
    decoded = new ImageError('internal_error', describeThrown(error));
  }
  if (decoded instanceof ImageError || decoded instanceof PutOff) {
    place.giveUp();
    signal.throwIfAborted();
    return decoded;
  }
  const started = performance.now();
  try {
    const answer = await place.fill(decoded.pixels);
    return { ...answer, image: decoded.facts };
  } catch (error) {
    return new ImageError('inference_failed', describeThrown(error));
  } finally {
    time('infer', performance.now() - started);
  }
}

async function fetchAndDecode<Other>(
  { fetch, decode, onFetched }: ImageStages<Other>,
  time: StageTimer,
): Promise<DecodedImage | ImageError | Other> {
  const started = performance.now();
  const bytes = await fetch().finally(onFetched);
  const fetched = performance.now();
  time('fetch', fetched - started);
  if (bytes instanceof ImageError) return bytes;
  const decoded = await decode(bytes);
  time('decode', performance.now() - fetched);
  return decoded;
}
