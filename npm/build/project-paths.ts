import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

const SOURCES = /\/(?:cli|dashboard|functions|local|shared|worker)\/[^?]*\.ts$/;

/** These start a file beside themselves, which is bundled too. */
const BESIDE_THE_BUNDLE: ReadonlySet<string> = new Set(['shared/classifier/decode/decode-apart.ts']);

/**
 * Modules that read files beside themselves, or at `../../`, read those in `files/` of the package, which lie there as in the
 * project. Packages that such modules look for by their names (Chart.js, Preact: files for browsers) lie in `vendor/`.
 *
 * @param root the project's folder
 */
export function projectPaths(root: string): Plugin {
  return {
    name: 'project-paths',
    setup(build) {
      build.onLoad({ filter: SOURCES }, async ({ path }) => {
        const name = relative(root, path);
        const source = await readFile(path, 'utf8');
        if (name.startsWith('..') || !source.includes('import.meta') || BESIDE_THE_BUNDLE.has(name)) return undefined;
        return { contents: withProjectPaths(source, name, root), loader: 'ts', resolveDir: dirname(path) };
      });
    },
  };
}

/** As one line, so that the lines of error messages stay those of the source. */
function withProjectPaths(source: string, name: string, root: string): string {
  const module = JSON.stringify(join(root, 'npm/runtime/project-file.ts'));
  const head = `import { projectFile as __projectFile, vendoredRequire as __createRequire } from ${module};`;
  return `${head} ${source
    .replaceAll('import.meta.dirname', `__projectFile(${JSON.stringify(dirname(name))})`)
    .replaceAll('import.meta.filename', `__projectFile(${JSON.stringify(name)})`)
    .replaceAll('createRequire(import.meta.url)', '__createRequire()')}`;
}
