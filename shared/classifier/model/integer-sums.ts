import { join } from 'node:path';
import { describeError } from '../../contract/redact.ts';
import { SHIPPED_MODELS } from '../../runtime/shipped-models.ts';
import { loadSavedModel } from './tensorflow/saved-model.ts';

/**
 * What TensorFlow and the processor do with products of eight-bit integers:
 *
 * - `exact`: they are added in 32 bits (AVX-512 VNNI, AVX-VNNI).
 * - `in pairs`: those of two inputs are added in 16 bits first, up to 32,767 (AVX2, AVX-512 without VNNI). A model is right
 *   only if its weights allow for that.
 * - `none`: the operations are not there, or wrong.
 */
export type IntegerSums = 'exact' | 'in pairs' | 'none';

/** What the trial found. */
export type IntegerSumsFound = {
  sums: IntegerSums;
  /** Why there are none, where some were expected. */
  reason?: string;
};

/** What `models/efficientnet-lite/integer_sums.py` makes. */
const TRIAL = join(SHIPPED_MODELS, 'integer-sums');
const INPUTS = 64;
/** Both sums where products are added in 32 bits; in pairs, the second only. */
const EXPECTED = 200;

/**
 * Has TensorFlow compute a small convolution with the largest values. Flags would say what the processor could do: this shows
 * what TensorFlow and oneDNN make of it, with all of their settings. Takes some 10 ms once TensorFlow is loaded.
 *
 * @param folder of the model that computes it
 */
export async function findIntegerSums(folder: string = TRIAL): Promise<IntegerSumsFound> {
  // Elsewhere TensorFlow's quantized operations are not proven.
  if (process.arch !== 'x64') return { sums: 'none' };
  try {
    return judged(await trialSums(folder));
  } catch (error) {
    return { sums: 'none', reason: describeError(error) };
  }
}

async function trialSums(folder: string): Promise<Float32Array> {
  const model = await loadSavedModel(folder);
  try {
    return model.predict(new Uint8Array(INPUTS).fill(255), [1, 1, 1, INPUTS], 0);
  } finally {
    model.dispose();
  }
}

function judged([inFull, inPairs]: Float32Array): IntegerSumsFound {
  if (inPairs !== EXPECTED) return { sums: 'none', reason: `expected a sum of ${EXPECTED}, got ${inPairs}` };
  return { sums: inFull === EXPECTED ? 'exact' : 'in pairs' };
}
