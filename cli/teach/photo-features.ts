import pMap from 'p-map';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import type { FeatureModel } from '../../shared/classifier/model/feature-model.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { LabeledPhoto } from './labeled-photo.ts';
import { outlineOf } from './outline.ts';
import { createRandom } from './random.ts';
import { viewOf, wideFormat } from './views.ts';

/** A photo with its features. */
export type TaughtPhoto = LabeledPhoto & {
  /** Of the file. */
  sha256: string;
  /** Features of the photo as a worker sees it. */
  features: Float32Array;
  /** Features of its augmented views, concatenated. */
  views: Float32Array;
  /** See `outlineOf`. */
  outline: Float32Array;
};

type Seen = Omit<TaughtPhoto, keyof LabeledPhoto>;

export type FailedPhoto = LabeledPhoto & { failure: ImageFailure };

export function isFailed(photo: TaughtPhoto | FailedPhoto): photo is FailedPhoto {
  return 'failure' in photo;
}

export function isReadable(photo: TaughtPhoto | FailedPhoto): photo is TaughtPhoto {
  return !isFailed(photo);
}

/** Photos that are read and decoded at once, which bounds memory. */
const AT_ONCE = 8;
/** Features that are trained on at once, 5 kB each of the default model. */
const MAX_ROWS = 12_000;
const MAX_VIEWS = 8;

/** Number of augmented views per photo, in addition to the worker's own. */
export function viewsPerPhoto(photos: number): number {
  return Math.max(0, Math.min(MAX_VIEWS, Math.floor(MAX_ROWS / photos) - 1));
}

export type FeatureOptions = {
  model: FeatureModel;
  read(photo: LabeledPhoto): Promise<Buffer | ImageFailure>;
  /** Of each photo. */
  views: number;
  seed: number;
  onProgress(done: number): void;
};

/**
 * Reads photos as a worker would, and computes their features. The result does not depend on the order of arrival.
 *
 * @returns in the order of the photos
 */
export async function photoFeatures(
  photos: readonly LabeledPhoto[],
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
  photo: LabeledPhoto,
  { model, read, views, seed }: FeatureOptions,
): Promise<Seen | ImageFailure> {
  const format = model.folder.config;
  const bytes = await read(photo);
  if (bytes instanceof ImageFailure) return bytes;
  const plain = await decodeImage(bytes, format);
  if (plain instanceof ImageFailure) return plain;
  const wide = wideFormat(format);
  const uncropped = views === 0 ? plain : await decodeImage(bytes, wide);
  if (uncropped instanceof ImageFailure) return uncropped;
  const { sha256 } = plain.facts;
  // Seeded by the photo alone, so that other photos do not change its views.
  const random = createRandom(`${seed} ${sha256}`);
  const others = Array.from({ length: views }, () =>
    viewOf(uncropped.pixels, wide.inputSize, format.inputSize, random),
  );
  // One photo per batch: other photos in a batch may change the last digits.
  const rows = model.features([plain.pixels, ...others]);
  const length = model.featureLength;
  const outline = outlineOf(plain.pixels, format.inputSize);
  return { sha256, features: rows.slice(0, length), views: rows.slice(length), outline };
}
