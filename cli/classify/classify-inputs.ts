import type { ImageOutcome, Pipeline } from '../../shared/classifier/classify-images.ts';
import type { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { Classification, ModelId } from '../../shared/contract/result-line.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';
import { readImageFile } from '../image-file.ts';
import { printNote } from '../terminal/terminal.ts';

type Input = { url: string };

/** What became of images that were named on the command line, in the order of their names. */
export type ClassifiedInputs = { outcomes: (Classification | ImageFailure)[]; model: ModelId };

/** Classifies images in this process: paths, and URLs as a worker fetches them. Prints what is worth noting of the model. */
export async function classifyInputs(
  inputs: readonly string[],
  settings: ClassifierSettings,
  s3 = createS3Client(),
): Promise<ClassifiedInputs> {
  // Only now: TensorFlow takes its time to load, and `--help` needs none of it.
  const { createPipeline } = await import('../../shared/classifier/pipeline.ts');
  const pipeline = await createPipeline(settings, s3);
  for (const note of pipeline.classifier.notes) printNote(`${note}\n`);
  const outcomes = await classifyInOrder(inputs, pipeline);
  await pipeline.close();
  // Nothing puts an image off here, or ends before it has its outcome.
  return { outcomes: outcomes as ClassifiedInputs['outcomes'], model: pipeline.classifier.id };
}

async function classifyInOrder(inputs: readonly string[], pipeline: Pipeline): Promise<ImageOutcome[]> {
  const images: Input[] = inputs.map((url) => ({ url }));
  const outcomes = new Map<Input, ImageOutcome>();
  const fetch: Pipeline['fetch'] = (input, signal) =>
    isPath(input) ? readImageFile(input) : pipeline.fetch(input, signal);
  const { classifyImages } = await import('../../shared/classifier/classify-images.ts');
  await classifyImages(
    images,
    { ...pipeline, fetch },
    { onOutcome: (image, outcome) => void outcomes.set(image, outcome) },
  );
  return images.map((image) => outcomes.get(image) as ImageOutcome);
}

function isPath(input: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:/i.test(input);
}
