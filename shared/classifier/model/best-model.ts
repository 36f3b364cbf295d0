import { describeError } from '../../contract/redact.ts';
import type { ModelPrecision } from '../../settings.ts';
import { type ChosenModel, chooseModel, hasInt8Model } from './int8-model.ts';
import { findIntegerSums, type IntegerSumsFound } from './integer-sums.ts';
import type { ModelFolder } from './model-folder.ts';

/** The model that was opened, and why others were not. */
export type Opened<Model> = ChosenModel & {
  model: Model;
  /** Why the preferred model could not be opened. */
  warnings: readonly string[];
};

/**
 * Opens the fastest model of a folder that computes correctly on this processor. If the int8 model cannot be opened, it falls back
 * to the one in floats: int8 never fails a start.
 *
 * @param open loads a model and tries it; throws when it cannot be used
 * @param find finds out how the processor adds integers
 * @throws what `open` throws for the model in floats
 */
export async function openBestModel<Model>(
  folder: ModelFolder,
  wanted: ModelPrecision,
  open: (folder: ModelFolder) => Promise<Model>,
  find: () => Promise<IntegerSumsFound> = findIntegerSums,
): Promise<Opened<Model>> {
  const inFloats = chooseModel(folder, 'float32', 'none');
  if (!hasInt8Model(folder, wanted)) return { ...inFloats, model: await open(folder), warnings: [] };
  const { sums, reason } = await find();
  const chosen = chooseModel(folder, wanted, sums);
  if (chosen.arithmetic === 'float32') {
    return { ...inFloats, model: await open(folder), warnings: reason === undefined ? [] : [warning(reason)] };
  }
  try {
    return { ...chosen, model: await open(chosen.folder), warnings: [] };
  } catch (error) {
    const why = describeError(error);
    return { ...inFloats, model: await open(folder), warnings: [warning(why)] };
  }
}

function warning(why: string): string {
  return `it computes in 32-bit floats, which cost more time, not in eight-bit integers: ${why}`;
}
