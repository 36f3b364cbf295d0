import { join } from 'node:path';
import type { ModelPrecision } from '../../settings.ts';
import type { IntegerSums } from './integer-sums.ts';
import type { ModelFolder } from './model-folder.ts';

/**
 * What a model computes in, as logs and metrics name it: a few values, by which times can be compared. Of eight-bit integers, the
 * processor adds the products two by two in 16 bits (AVX2) or in 32 bits (VNNI).
 */
export type Arithmetic = 'float32' | 'int8-avx2' | 'int8-vnni';

/** A model folder whose `path` is that of the model to load, and what that computes in. */
export type ChosenModel = { folder: ModelFolder; arithmetic: Arithmetic };

/**
 * The model folder with its int8 model in place of the other, where there is one that is right on this processor. Its version
 * ends in `-int8`, so that each result line says which model gave it.
 *
 * @param wanted `float32` leaves the folder as it is
 * @param sums what the processor does with integers, see `findIntegerSums`
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

/** Whether it makes a difference what the processor does with integers. */
export function hasInt8Model({ config }: ModelFolder, wanted: ModelPrecision): boolean {
  return wanted !== 'float32' && config.int8 !== undefined;
}
