import { basename } from 'node:path';
import { expect } from '@jest/globals';

/** Of the property tests of a file. `TEST_SEED=<seed>` repeats a run that failed. */
export const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);

process.stderr.write(`${basename(expect.getState().testPath ?? '')}: TEST_SEED=${seed}\n`);
