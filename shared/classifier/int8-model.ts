import { join } from 'node:path';
import type { ModelPrecision } from '../contract/settings.ts';
import type { ModelFolder } from './model-folder.ts';

/**
 * The model folder with its int8 model in place of the other, where there is one and the processor is made for it. Its version ends in `-int8`, so that each result line says which model gave it.
 *
 * @param precision `float32` leaves the folder as it is
 * @param vnni whether the processor is made for it, see `hasVnni`
 */
export function preferInt8(folder: ModelFolder, precision: ModelPrecision, vnni: boolean): ModelFolder {
  const { path, config } = folder;
  if (precision === 'float32' || config.int8 === undefined || !vnni) return folder;
  return { ...folder, path: join(path, config.int8), config: { ...config, version: `${config.version}-int8` } };
}
