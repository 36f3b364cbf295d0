import pMap from 'p-map';
import { makeThumbnail } from '../../shared/classifier/decode/thumbnail.ts';
import { fetchImage } from '../../shared/classifier/fetch/fetch-image.ts';
import { createImageClient } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';
import type { SampleImage } from './report-data.ts';

/** An image to show: its thumbnail is a data URI. */
export type Thumbnail = { id: string; score: number; source: string };

/** A label and the images of it that can still be had. */
export type Shelf = { label: string; thumbnails: Thumbnail[] };

const FETCHES_AT_ONCE = 16;

/**
 * Fetches images as carefully as the worker does, and makes them small. What cannot be fetched or
 * decoded any more is left out.
 *
 * @param samples by label, more than are to be shown where there are as many
 * @param perLabel how many are shown
 * @param onProgress told of each image, and why it is left out
 */
export async function createGallery(
  samples: ReadonlyMap<string, readonly SampleImage[]>,
  perLabel: number,
  settings: ClassifierSettings,
  onProgress: (images: number, url: string, failure: ImageFailure | undefined) => void,
): Promise<Shelf[]> {
  const http = createImageClient(settings);
  const sources = { http, s3: createObjectReader(createS3Client(), settings.sourceBuckets) };
  const never = new AbortController().signal;
  let done = 0;
  const thumbnails = new Map<SampleImage, Thumbnail>();
  try {
    await pMap(
      [...samples.values()].flat(),
      async (image) => {
        const bytes = await fetchImage(image.url, sources, never, { timeoutMs: settings.fetchTimeoutSeconds * 1_000 });
        const small = bytes instanceof ImageFailure ? bytes : await makeThumbnail(bytes);
        if (!(small instanceof ImageFailure)) {
          const source = `data:image/webp;base64,${small.toString('base64')}`;
          thumbnails.set(image, { id: image.id, score: image.score, source });
        }
        onProgress(++done, image.url, small instanceof ImageFailure ? small : undefined);
      },
      { concurrency: FETCHES_AT_ONCE },
    );
  } finally {
    await http.close();
  }
  return [...samples]
    .map(([label, images]) => ({
      label,
      thumbnails: images.flatMap((image) => thumbnails.get(image) ?? []).slice(0, perLabel),
    }))
    .filter((shelf) => shelf.thumbnails.length > 0);
}
