import pMap from 'p-map';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import type { FeatureModel } from '../../shared/classifier/model/feature-model.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { LabelledPhoto } from './labelled-photo.ts';
import { outlineOf } from './outline.ts';
import { createRandom } from './random.ts';
import { viewOf, wideFormat } from './views.ts';

/** A photo that can be learned from. */
export type TaughtPhoto = LabelledPhoto & {
  /** Of the file. */
  sha256: string;
  /** Of the photo as a worker sees it. */
  features: Float32Array;
  /** Of views of it, one after the other. */
  views: Float32Array;
  /** See `outlineOf`. */
  outline: Float32Array;
};

type Seen = Omit<TaughtPhoto, keyof LabelledPhoto>;

export type FailedPhoto = LabelledPhoto & { failure: ImageFailure };

export function isFailed(photo: TaughtPhoto | FailedPhoto): photo is FailedPhoto {
  return 'failure' in photo;
}

export function isRead(photo: TaughtPhoto | FailedPhoto): photo is TaughtPhoto {
  return !isFailed(photo);
}

/** Photos that are read and decoded at once: what bounds the memory for them. */
const AT_ONCE = 8;
/** Features that are trained on at once, 5 kB each of the default model. */
const MAX_ROWS = 12_000;
const MAX_VIEWS = 8;

/** How many views each of so many photos gets beside the one that a worker sees. */
export function viewsPerPhoto(photos: number): number {
  return Math.max(0, Math.min(MAX_VIEWS, Math.floor(MAX_ROWS / photos) - 1));
}

export type FeatureOptions = {
  model: FeatureModel;
  read(photo: LabelledPhoto): Promise<Buffer | ImageFailure>;
  /** Of each photo. */
  views: number;
  seed: number;
  onProgress(done: number): void;
};

/**
 * Reads photos as a worker would, and computes their features. The result is the same in whatever order they arrive.
 *
 * @returns in the order of the photos
 */
export async function photoFeatures(
  photos: readonly LabelledPhoto[],
  options: FeatureOptions,
): Promise<(TaughtPhoto | FailedPhoto)[]> {
  let done = 0;
  return pMap(
    photos,
    async (photo) => {
      const found = await featuresOf(photo, options);
      options.onProgress(++done);
      return found instanceof ImageFailure ? { ...photo, failure: found } : { ...photo, ...found };
    },
    { concurrency: AT_ONCE },
  );
}

async function featuresOf(
  photo: LabelledPhoto,
  { model, read, views, seed }: FeatureOptions,
): Promise<Seen | ImageFailure> {
  const format = model.folder.config;
  const bytes = await read(photo);
  if (bytes instanceof ImageFailure) return bytes;
  const plain = await decodeImage(bytes, format);
  if (plain instanceof ImageFailure) return plain;
  const wide = wideFormat(format);
  const whole = views === 0 ? plain : await decodeImage(bytes, wide);
  if (whole instanceof ImageFailure) return whole;
  const { sha256 } = plain.facts;
  // By the photo alone: copies get the same views, and no photo changes those of another.
  const random = createRandom(`${seed} ${sha256}`);
  const others = Array.from({ length: views }, () => viewOf(whole.pixels, wide.inputSize, format.inputSize, random));
  // A photo is a batch of its own: which others are beside it in a batch may change the last digits.
  const rows = model.features([plain.pixels, ...others]);
  const length = model.featureLength;
  const outline = outlineOf(plain.pixels, format.inputSize);
  return { sha256, features: rows.slice(0, length), views: rows.slice(length), outline };
}
