import { tmpdir } from 'node:os';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ClassifierSettings } from '../settings.ts';
import type { Pipeline } from './classify-images.ts';
import { fetchImage } from './fetch/fetch-image.ts';
import { createImageClient } from './fetch/http-client.ts';
import { createObjectReader } from './fetch/read-s3-object.ts';
import { loadClassifier, loadEmbeddingClassifier } from './infer.ts';
import { downloadModel } from './model/download-model.ts';
import { DEFAULT_MODEL_DIR, readModelFolder } from './model/model-folder.ts';

/** The settings of a pipeline: API and chatbot compute no embeddings, and the chatbot has no bucket. */
export type PipelineSettings = Omit<ClassifierSettings, OfSome> & Partial<Pick<ClassifierSettings, OfSome>>;
type OfSome = 'embedding' | 'resultsBucket';

/**
 * Creates the clients of the stages and loads the model: once per process, before its first image.
 *
 * @param temporary the folder for a model that is downloaded from S3
 * @throws {ModelFolderError} when the model folder is invalid
 */
export async function createPipeline(
  settings: PipelineSettings,
  s3: S3Client,
  temporary: string = tmpdir(),
): Promise<Pipeline> {
  const folder = await readModelFolder(
    await modelFolderOf(settings, s3, temporary),
    settings.modelTrusted || takesDefaultModel(settings),
  );
  const load = settings.embedding ? loadEmbeddingClassifier : loadClassifier;
  const classifier = await load(folder, settings.modelPrecision);
  const http = createImageClient(settings);
  const sources = { http, s3: createObjectReader(s3, settings.sourceBuckets, settings.resultsBucket) };
  return {
    fetch: (url, signal, beforeContent) =>
      fetchImage(url, sources, signal, { timeoutMs: settings.fetchTimeoutSeconds * 1_000, beforeContent }),
    classifier,
    topK: settings.topK,
    async close() {
      classifier.dispose();
      await http.close();
    },
  };
}

/** The default model is part of the program: a test checks it, so a cold start need not. */
function takesDefaultModel({ modelDir, modelS3Uri }: PipelineSettings): boolean {
  return modelDir === undefined && modelS3Uri === undefined;
}

async function modelFolderOf(settings: PipelineSettings, s3: S3Client, temporary: string): Promise<string> {
  const { modelDir, modelS3Uri, modelSha256 } = settings;
  if (modelS3Uri === undefined || modelSha256 === undefined) return modelDir ?? DEFAULT_MODEL_DIR;
  return downloadModel(s3, modelS3Uri, modelSha256, temporary);
}
