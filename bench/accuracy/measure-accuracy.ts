import { readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import type { ModelFolder } from '../../shared/classifier/model/model-folder.ts';
import type { OpenModel } from '../../shared/classifier/model/open-model.ts';
import { topK } from '../../shared/classifier/model/top-k.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { INFERENCE_BATCH_SIZE } from '../../shared/contract/limits.ts';
import { fileFailureText } from '../../shared/runtime/file-failure.ts';
import type { LabeledImage } from './label-list.ts';
import { FLOATS, precisionsOf } from './precisions.ts';
import { type Accuracy, AccuracyTally, type Ranking } from './tally.ts';

export type AccuracyRun = {
  accuracy: Accuracy[];
  /** Precisions that this processor does not run, and why. */
  notRun: { name: string; reason: string }[];
  /** Images that were left out, and why. */
  leftOut: { file: string; reason: string }[];
};

export type AccuracyOptions = {
  /** The folder that the files of the labels are in. */
  folder: string;
  onProgress?: (images: number) => void;
};

type Decoded = LabeledImage & { pixels: Uint8Array };

/** Runs images through each precision of a model, with the worker's own decoder and batches. */
export async function measureAccuracy(
  model: ModelFolder,
  images: readonly LabeledImage[],
  { folder, onProgress = () => {} }: AccuracyOptions,
): Promise<AccuracyRun> {
  const precisions = await precisionsOf(model);
  const notRun = precisions.flatMap((each) => ('reason' in each ? [each] : []));
  const models = new Map(precisions.flatMap((each) => ('model' in each ? [[each.name, each.model] as const] : [])));
  const tally = new AccuracyTally([...models.keys()], FLOATS);
  const leftOut: AccuracyRun['leftOut'] = [];
  for (let start = 0; start < images.length; start += INFERENCE_BATCH_SIZE) {
    const batch: Decoded[] = [];
    for (const image of images.slice(start, start + INFERENCE_BATCH_SIZE)) {
      const pixels = await pixelsOf(join(folder, image.file), folder, model);
      if (typeof pixels === 'string') leftOut.push({ file: image.file, reason: pixels });
      else batch.push({ ...image, pixels });
    }
    addBatch(tally, models, batch);
    onProgress(Math.min(images.length, start + INFERENCE_BATCH_SIZE));
  }
  for (const each of models.values()) each.dispose();
  return { accuracy: tally.all, notRun, leftOut };
}

/** @returns why there are none, as text */
async function pixelsOf(path: string, folder: string, { config }: ModelFolder): Promise<Uint8Array | string> {
  if (!resolve(path).startsWith(resolve(folder) + sep)) return 'expected a file below the folder of images';
  try {
    const decoded = await decodeImage(await readFile(path), config);
    return decoded instanceof ImageFailure ? `${decoded.code}: ${decoded.message}` : decoded.pixels;
  } catch (error) {
    const reason = Error.isError(error) ? fileFailureText(error) : undefined;
    if (reason === undefined) throw error;
    return reason;
  }
}

function addBatch(tally: AccuracyTally, models: ReadonlyMap<string, OpenModel>, batch: readonly Decoded[]): void {
  if (batch.length === 0) return;
  const rankings = batch.map(() => new Map<string, Ranking>());
  for (const [name, { scores, folder }] of models) {
    const all = scores(batch.map(({ pixels }) => pixels));
    for (const [row, ranking] of rankings.entries()) {
      const best = topK(all.subarray(row * folder.labels.length), folder.labels, 5);
      ranking.set(
        name,
        best.map(({ classId }) => classId),
      );
    }
  }
  for (const [row, { right }] of batch.entries()) tally.add(right, rankings[row] ?? new Map());
}
