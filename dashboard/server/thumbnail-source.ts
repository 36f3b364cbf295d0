import { makeThumbnail } from '../../shared/classifier/decode/thumbnail.ts';
import { fetchImage } from '../../shared/classifier/fetch/fetch-image.ts';
import { createImageClient } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';

/** Makes thumbnails of images that are fetched with the rules of the worker. */
export type ThumbnailSource = {
  /** A WebP, or why there is none. Rejects when it is cancelled. */
  make(url: string, cancelled: AbortSignal): Promise<Buffer | ImageFailure>;
  close(): Promise<void>;
};

export function createThumbnailSource({ s3 }: Pick<JobTarget, 's3'>, settings: ClassifierSettings): ThumbnailSource {
  const http = createImageClient(settings);
  const sources = { http, s3: createObjectReader(s3, settings.sourceBuckets) };
  const timeoutMs = settings.fetchTimeoutSeconds * 1_000;
  return {
    async make(url, cancelled) {
      const bytes = await fetchImage(url, sources, cancelled, { timeoutMs });
      return bytes instanceof ImageFailure ? bytes : makeThumbnail(bytes);
    },
    close: () => http.close(),
  };
}
