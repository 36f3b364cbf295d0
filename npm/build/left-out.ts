import { relative } from 'node:path';
import type { Plugin } from 'esbuild';

/** What these load when they run needs TensorFlow: `npm/runtime/when-run.ts` has the project run it. */
const RUN_IN_THE_PROJECT =
  /^cli\/(?:commands\/(?:bench|classify|demo|local|model|model-teach|relabel|similar|work)|enqueue\/enqueue-sample)\.ts$/;

/** Where the empty module is in the bundle. */
const NAMESPACE = 'left-out';

/**
 * Leaves out what commands load that the project runs, and refuses TensorFlow: a light command that came to need it would
 * fail on the user's machine only.
 *
 * @param root the project's folder
 */
export function leftOut(root: string): Plugin {
  return {
    name: NAMESPACE,
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ kind, importer, path }) => {
        const isOfProject = kind === 'dynamic-import' && RUN_IN_THE_PROJECT.test(relative(root, importer));
        return isOfProject ? { path, namespace: NAMESPACE } : undefined;
      });
      build.onLoad({ filter: /./, namespace: NAMESPACE }, () => ({ contents: 'export default undefined' }));
      build.onResolve({ filter: /^@tensorflow\// }, ({ path, importer }) => ({
        errors: [{ text: `${relative(root, importer)} imports ${path}, which commands of the package do without` }],
      }));
    },
  };
}
