import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pythonPackages } from './python-packages.ts';

/**
 * TensorFlow for Python and Keras, fetched and unpacked unless they are there already.
 *
 * @param requirements path of a list for pip
 * @returns the folder, for PYTHONPATH
 */
export async function kerasPackages(requirements: string): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  return pythonPackages({ name: `keras-${digest.slice(0, 12)}`, install: ['-r', requirements] });
}
