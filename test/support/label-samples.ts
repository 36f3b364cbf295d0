/** Prints the default model of this process, and the best label of each sample photo. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { loadClassifier } from '../../shared/classifier/infer.ts';
import { DEFAULT_MODEL_DIR, readModelFolder } from '../../shared/classifier/model/model-folder.ts';

export type SampleLabels = {
  arithmetic: string;
  notes: readonly string[];
  /** By file. */
  best: Record<string, { classId: number; score: number }>;
};

const PHOTOS = join(import.meta.dirname, '../../samples/photos');
const WHOLE = ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg'];

const classifier = await loadClassifier(await readModelFolder(DEFAULT_MODEL_DIR, true), 'auto');
const best: SampleLabels['best'] = {};
for (const name of WHOLE) {
  const decoded = await decodeImage(await readFile(join(PHOTOS, name)), classifier.format);
  if (!('pixels' in decoded)) throw decoded;
  const [[label] = []] = classifier.infer([decoded.pixels], 1);
  if (label !== undefined) best[name] = { classId: label.classId, score: label.score };
}
const { arithmetic, notes } = classifier;
process.stdout.write(JSON.stringify({ arithmetic, notes, best } satisfies SampleLabels));
