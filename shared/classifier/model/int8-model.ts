import { join } from 'node:path';
import type { ModelPrecision } from '../../settings.ts';
import type { IntegerSums } from './integer-sums.ts';
import type { ModelFolder } from './model-folder.ts';

/**
 * The arithmetic of a model, as logs and metrics name it: few values, to compare times by. With eight-bit integers, the processor
 * adds products pairwise in 16 bits (AVX2) or in 32 bits (VNNI).
 */
export type Arithmetic = 'float32' | 'int8-avx2' | 'int8-vnni';

/** A model folder whose `path` is the model to load, and its arithmetic. */
export type ChosenModel = { folder: ModelFolder; arithmetic: Arithmetic };

/**
 * The model folder with its int8 model instead, if it has one that computes correctly on this processor. Its version ends in
 * `-int8`, so that each result line names the model.
 *
 * @param wanted `float32` leaves the folder as it is
 * @param sums how the processor adds integers, see `findIntegerSums`
 */
export function chooseModel(folder: ModelFolder, wanted: ModelPrecision, sums: IntegerSums): ChosenModel {
  const { path, config } = folder;
  const { int8, int8For } = config;
  const isRight = sums === 'exact' || (sums === 'in pairs' && int8For === 'avx2');
  if (wanted === 'float32' || int8 === undefined || !isRight) return { folder, arithmetic: 'float32' };
  return {
    folder: { ...folder, path: join(path, int8), config: { ...config, version: `${config.version}-int8` } },
    arithmetic: sums === 'exact' ? 'int8-vnni' : 'int8-avx2',
  };
}

/** Whether it matters how the processor adds integers. */
export function hasInt8Model({ config }: ModelFolder, wanted: ModelPrecision): boolean {
  return wanted !== 'float32' && config.int8 !== undefined;
}
