import { ImageError } from '../contract/error-codes.ts';
import type { ImageFacts, Label } from '../contract/result-line.ts';
import { describeThrown } from '../contract/safe-text.ts';
import { type DecodedImage, decodeImage, type PictureFormat } from './decode-image.ts';
import type { Place } from './inference-batches.ts';

/** An image with its labels, best first. */
export type Classified = { labels: Label[]; image: ImageFacts };

export type TimedStage = 'fetch' | 'decode' | 'infer';
/** Told how long each stage of each image took, in milliseconds; `infer` includes the wait for its batch. */
export type StageTimer = (stage: TimedStage, milliseconds: number) => void;

/**
 * The life of one image: fetch, decode, infer. An expected failure is returned; so is a surprise,
 * as `internal_error`, since one image must not take down those beside it. It rejects only when
 * `signal` is aborted, with the signal's reason.
 *
 * @param place in the inference batch; filled or given up when this settles
 * @param onFetched called once the image's server is free for the next fetch
 */
export async function classifyImage(
  fetch: () => Promise<Buffer | ImageError>,
  place: Place,
  format: PictureFormat,
  time: StageTimer,
  signal: AbortSignal,
  onFetched: () => void,
): Promise<Classified | ImageError> {
  let decoded: DecodedImage | ImageError;
  try {
    decoded = await fetchAndDecode(fetch, format, time, onFetched);
  } catch (error) {
    decoded = new ImageError('internal_error', describeThrown(error));
  }
  if (decoded instanceof ImageError) {
    place.giveUp();
    signal.throwIfAborted();
    return decoded;
  }
  const started = performance.now();
  try {
    const labels = await place.fill(decoded.pixels);
    return { labels, image: decoded.facts };
  } catch (error) {
    return new ImageError('inference_failed', describeThrown(error));
  } finally {
    time('infer', performance.now() - started);
  }
}

async function fetchAndDecode(
  fetch: () => Promise<Buffer | ImageError>,
  format: PictureFormat,
  time: StageTimer,
  onFetched: () => void,
): Promise<DecodedImage | ImageError> {
  const started = performance.now();
  const bytes = await fetch().finally(onFetched);
  const fetched = performance.now();
  time('fetch', fetched - started);
  if (bytes instanceof ImageError) return bytes;
  const decoded = await decodeImage(bytes, format);
  time('decode', performance.now() - fetched);
  return decoded;
}
