import { Logger } from '@aws-lambda-powertools/logger';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Pipeline } from '../classifier/classify-images.ts';
import { createPipeline, type PipelineSettings } from '../classifier/pipeline.ts';
import { SDK_REQUEST_OPTIONS } from '../contract/limits.ts';
import { createS3Client } from '../jobs/s3-client.ts';
import { markStart } from '../runtime/start-marks.ts';

/** What each function that classifies images starts with. */
export type ClassifyingFunction = { logger: Logger; s3: S3Client; pipeline: Pipeline };

/**
 * Creates the log and the clients of a function and loads its model: once per process, as soon as its modules are loaded.
 *
 * @throws {ModelFolderError} when the model folder is invalid
 */
export async function startClassifyingFunction(
  settings: PipelineSettings & { serviceName: string },
): Promise<ClassifyingFunction> {
  markStart('labelqueue:modules-loaded');
  const logger = new Logger({ serviceName: settings.serviceName });
  // Source buckets may be in other regions.
  const s3 = createS3Client({ requestHandler: SDK_REQUEST_OPTIONS, followRegionRedirects: true });
  return { logger, s3, pipeline: await createPipeline(settings, s3) };
}
