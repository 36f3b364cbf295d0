import { extname, join } from 'node:path';

const isBundled = extname(import.meta.filename) !== '.ts';

/**
 * The module that exports the worker's handler: the source file, or in the package `index.mjs` next to the bundle of
 * `main.ts`, which unpacks TensorFlow before it loads the handler.
 */
export const CLASSIFY_HANDLER: string = isBundled
  ? join(import.meta.dirname, 'index.mjs')
  : join(import.meta.dirname, '../functions/classify/handler.ts');
