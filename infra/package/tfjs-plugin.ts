import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const require = createRequire(import.meta.url);
const SHIMS = join(import.meta.dirname, 'shims');

/**
 * Two packages that tfjs-node asks for are answered by modules of ours (in `shims/`): the one that
 * looks the binding up in a node_modules folder, which the package does not have, and the union of all
 * that TensorFlow.js is, of which a SavedModel needs the core alone. For a model in a format of TensorFlow.js the
 * worker loads the layers or the converter besides, from a file of their own.
 */
export const tfjsPlugin: Plugin = {
  name: 'tfjs-node in a bundle',
  setup(build) {
    // Its classes have to be functions: tfjs-node inherits from them in ECMAScript 5. The converter asks for
    // the operations by their file, which would bring the core along a second time.
    build.onResolve({ filter: /^@tensorflow\/tfjs-core(\/dist\/ops\/ops_for_converter)?$/ }, () => ({
      path: require.resolve('@tensorflow/tfjs-core'),
    }));
    build.onResolve({ filter: /^@mapbox\/node-pre-gyp$/ }, () => ({ path: join(SHIMS, 'binding-path.ts') }));
    build.onResolve({ filter: /^@tensorflow\/tfjs$/ }, () => ({ path: join(SHIMS, 'tfjs-core-only.cjs') }));
  },
};
