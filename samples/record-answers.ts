/**
 * Writes `expected.json`: what the default model says of each good photo. To be run when the model or
 * the preprocessing changes on purpose; a test holds the recorded answers against the current ones.
 *
 *     setup/node samples/record-answers.ts
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage } from '../shared/classifier/decode/decode-image.ts';
import { loadClassifier } from '../shared/classifier/infer.ts';
import { readModelFolder } from '../shared/classifier/model/model-folder.ts';
import { ImageFailure } from '../shared/contract/error-codes.ts';
import type { Label } from '../shared/contract/result-line.ts';

const PHOTOS = join(import.meta.dirname, 'photos');
const MODEL = join(import.meta.dirname, '../models/efficientnet-lite0');

const classifier = await loadClassifier(await readModelFolder(MODEL));
const answers: Record<string, Label> = {};
for (const file of (await readdir(PHOTOS)).sort()) {
  const decoded = await decodeImage(await readFile(join(PHOTOS, file)), classifier.format);
  if (decoded instanceof ImageFailure) continue;
  const best = classifier.infer([decoded.pixels], 1)[0]?.[0];
  if (best !== undefined) answers[`photos/${file}`] = { ...best, score: Number(best.score.toFixed(5)) };
}
await writeFile(join(import.meta.dirname, 'expected.json'), `${JSON.stringify(answers, undefined, 2)}\n`);
