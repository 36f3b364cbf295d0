import type { ClassifierSettings } from '../../shared/settings.ts';

/**
 * Checks before workers start that the model has embeddings; for a model in S3, the workers check.
 *
 * @throws {ModelFolderError} when it has none
 */
export async function checkEmbeddings({ modelDir, modelS3Uri, modelTrusted }: ClassifierSettings): Promise<void> {
  if (modelS3Uri !== undefined) return;
  const { DEFAULT_MODEL_DIR, readModelFolder } = await import('../../shared/classifier/model/model-folder.ts');
  const { readTrunk } = await import('../../shared/classifier/model/trunk.ts');
  await readTrunk(await readModelFolder(modelDir ?? DEFAULT_MODEL_DIR, modelDir === undefined || modelTrusted));
}
