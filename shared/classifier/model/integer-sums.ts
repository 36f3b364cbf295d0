import { join } from 'node:path';
import { describeError } from '../../contract/redact.ts';
import { SHIPPED_MODELS } from '../../runtime/shipped-models.ts';
import { loadSavedModel } from './tensorflow/saved-model.ts';

/**
 * How TensorFlow and the processor add products of eight-bit integers:
 *
 * - `exact`: in 32 bits (AVX-512 VNNI, AVX-VNNI).
 * - `in pairs`: those of two inputs are added in 16 bits first, up to 32,767 (AVX2, AVX-512 without VNNI). A model computes
 *   correctly only if its weights allow for that.
 * - `none`: the operations are missing or wrong.
 */
export type IntegerSums = 'exact' | 'in pairs' | 'none';

/** What the trial found. */
export type IntegerSumsFound = {
  sums: IntegerSums;
  /** Why there are none where some were expected. */
  reason?: string;
};

/** The file that `models/efficientnet-lite/integer_sums.py` creates. */
const TRIAL = join(SHIPPED_MODELS, 'integer-sums');
const INPUTS = 64;
/** Both sums where products are added in 32 bits; in pairs, the second only. */
const EXPECTED = 200;

/**
 * Lets TensorFlow compute a small convolution with the largest values. Processor flags only tell what is possible; this shows what
 * TensorFlow and oneDNN actually do with all of their settings. Takes about 10 ms once TensorFlow is loaded.
 *
 * @param folder of the model that is computed
 */
export async function findIntegerSums(folder: string = TRIAL): Promise<IntegerSumsFound> {
  // TensorFlow's quantized operations are not verified on other architectures.
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
