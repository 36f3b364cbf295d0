import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const require = createRequire(import.meta.url);
const STAND_INS = join(import.meta.dirname, 'stand-ins');

/**
 * Two packages that tfjs-node asks for are answered by modules of ours (in `stand-ins/`): the one that
 * looks the binding up in a node_modules folder, which the package does not have, and the union of all
 * that TensorFlow.js is, of which the worker needs the core alone.
 */
export const tfjsPlugin: Plugin = {
  name: 'tfjs-node in a bundle',
  setup(build) {
    // Its classes have to be functions: tfjs-node inherits from them in ECMAScript 5.
    build.onResolve({ filter: /^@tensorflow\/tfjs-core$/ }, () => ({ path: require.resolve('@tensorflow/tfjs-core') }));
    build.onResolve({ filter: /^@mapbox\/node-pre-gyp$/ }, () => ({ path: join(STAND_INS, 'binding-path.ts') }));
    build.onResolve({ filter: /^@tensorflow\/tfjs$/ }, () => ({ path: join(STAND_INS, 'tfjs-core-only.cjs') }));
  },
};
