import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ClassifierSettings } from '../contract/settings.ts';
import type { Pipeline } from './classify-images.ts';
import { fetchImage } from './fetch-image.ts';
import { createHttpClient } from './http-client.ts';
import { loadClassifier } from './infer.ts';
import { readModelFolder } from './model-folder.ts';
import { createObjectReader } from './read-s3-object.ts';

const DEFAULT_MODEL_DIR = join(import.meta.dirname, '../../models/efficientnet-lite0');

/**
 * Makes what the stages need and loads the model: once a process, before its first image.
 *
 * @throws {ModelFolderError} when the model folder does not hold what it should
 */
export async function createPipeline(settings: ClassifierSettings, s3: S3Client): Promise<Pipeline> {
  const classifier = await loadClassifier(await readModelFolder(settings.modelDir ?? DEFAULT_MODEL_DIR));
  const http = createHttpClient(settings.allowedHosts);
  const sources = { http, s3: createObjectReader(s3, settings.sourceBuckets) };
  return {
    fetch: (url, signal) => fetchImage(url, sources, signal, settings.fetchTimeoutSeconds * 1_000),
    classifier,
    topK: settings.topK,
    async close() {
      classifier.dispose();
      await http.close();
    },
  };
}
