import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ModelFolder } from '../../../shared/classifier/model/model-folder.ts';
import type { OpenModel } from '../../../shared/classifier/model/open-model.ts';
import { ImageFailure } from '../../../shared/contract/error-codes.ts';
import { visibleLine } from '../../../shared/contract/visible-text.ts';
import { existingFolder } from '../../options.ts';
import { samplePhotos } from '../../sample-photos.ts';
import { checkMade, checkNewFolder, openToOthers } from '../../terminal/new-folder.ts';
import { print } from '../../terminal/terminal.ts';
import { CommandError } from '../../terminal/user-errors.ts';
import { type Conversion, conversionText } from './model-convert-text.ts';

type Options = { trustModel?: true; json?: true };

/** Makes a SavedModel of a model of TensorFlow.js, if both give the same answers, and prints how much faster it is. */
export async function convert(from: string, to: string | undefined, { trustModel, json }: Options): Promise<void> {
  const path = existingFolder(from);
  const out = to ?? `${nameOf(from)}-saved-model`;
  const place = await checkNewFolder(out);
  // Only now: TensorFlow is slow to load, and `--help` does not need it.
  const { readModelFolder } = await import('../../../shared/classifier/model/model-folder.ts');
  const { createFolderAtomically } = await import('../../../shared/runtime/atomic-folder.ts');
  const folder = await readModelFolder(path, trustModel === true);
  let found: Conversion | undefined;
  const made = await createFolderAtomically(place, async (unfinished) => {
    found = await convertInto(folder, unfinished, out);
    await openToOthers(unfinished);
  });
  checkMade(made, out);
  if (found === undefined) throw new Error('a model was converted and not compared');
  print(json ? `${JSON.stringify(found)}\n` : conversionText(found));
}

/** `.` and `..` have a name only as a path from the root. */
function nameOf(folder: string): string {
  const path = folder.replace(/\/+$/, '');
  return /^(.*\/)?\.{0,2}$/.test(path) ? resolve(folder) : path;
}

async function convertInto(folder: ModelFolder, unfinished: string, out: string): Promise<Conversion> {
  const { openModel } = await import('../../../shared/classifier/model/open-model.ts');
  const { convertModel } = await import('./convert-model.ts');
  const { readModelFolder } = await import('../../../shared/classifier/model/model-folder.ts');
  const before = await openModel(folder);
  try {
    await convertModel(before, unfinished);
    const after = await openModel(await readModelFolder(unfinished));
    try {
      return await compared(before, after, out);
    } finally {
      after.dispose();
    }
  } finally {
    before.dispose();
  }
}

/** Of a score, which is 1 at most: what other orders of summing make of 32-bit floats. */
const MOST_DIFFERENCE = 1e-3;

async function compared(before: OpenModel, after: OpenModel, out: string): Promise<Conversion> {
  const { batchDifference, compareScores, compareTimes } = await import('./compare-models.ts');
  const pictures = await decodedSamples(before.folder);
  const agreement = compareScores(before, after, pictures);
  const largest = Math.max(agreement.largestDifference, batchDifference(after, pictures.slice(0, 4)));
  if (largest > MOST_DIFFERENCE) {
    throw new CommandError(
      `${visibleLine(before.folder.path)}: this model cannot be converted: expected scores that differ by ` +
        `${MOST_DIFFERENCE} at most, those of the SavedModel differ by ${largest}. Nothing was kept`,
    );
  }
  const { path, format } = before.folder;
  return { from: path, format, to: out, agreement, timings: compareTimes(before, after) };
}

async function decodedSamples({ config }: ModelFolder): Promise<Uint8Array[]> {
  const { decodeImage } = await import('../../../shared/classifier/decode/decode-image.ts');
  const names = await samplePhotos();
  const decoded = await Promise.all(names.map(async (name) => decodeImage(await readFile(name), config)));
  return decoded.flatMap((image) => (image instanceof ImageFailure ? [] : [image.pixels]));
}
