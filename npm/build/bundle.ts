import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { leftOut } from './left-out.ts';
import { ENTRIES, type Entry } from './manifest.ts';
import { type LockedPart, partImports } from './parts.ts';
import { projectPaths } from './project-paths.ts';

/** What CommonJS packages expect to be there and an ES module does not have. */
const COMMONJS = [
  "import { createRequire as __nodeRequire } from 'node:module';",
  'const require = __nodeRequire(import.meta.url);',
].join('\n');

export type BundleOptions = {
  /** The project's folder. */
  root: string;
  /** The package's. */
  folder: string;
  parts: readonly LockedPart[];
  /** The folder in the cache for the project's source. */
  projectName: string;
};

/**
 * Bundles the command and the entries into `lib/`, in chunks: `labelqueue --help` loads what declares the commands alone.
 *
 * @returns what went into which file
 * @throws esbuild's BuildFailure, whose messages esbuild has printed
 */
export async function bundle(options: BundleOptions): Promise<Metafile> {
  const { inputs, outputs } = await bundleCommand(options);
  for (const entry of ENTRIES.filter(({ peers }) => peers.length > 0)) {
    Object.assign(outputs, (await bundleEntry(entry, options)).outputs);
  }
  return { inputs, outputs };
}

/** The command, with the entries that need nothing of the user's: they share its chunks. */
async function bundleCommand({ root, folder, parts, projectName }: BundleOptions): Promise<Metafile> {
  const { metafile } = await build({
    ...COMMON,
    absWorkingDir: root,
    outdir: join(folder, 'lib'),
    entryPoints: [
      { in: 'npm/runtime/start.ts', out: 'start' },
      ...ENTRIES.filter(({ peers }) => peers.length === 0).map(pointOf),
      // Beside the chunks, where the module that starts it looks for it.
      { in: 'shared/classifier/decode/isolated-decoder.ts', out: 'isolated-decoder' },
    ],
    splitting: true,
    define: { ...NODE_22, PROJECT_NAME: JSON.stringify(projectName) },
    plugins: [whenRunOfPackage(root), leftOut(root), partImports(root, parts), projectPaths(root)],
  });
  return metafile;
}

/** An entry that shares packages with the user's program, and no chunk with the command, which has its own of them inside. */
async function bundleEntry(entry: Entry, { root, folder }: BundleOptions): Promise<Metafile> {
  const { metafile } = await build({
    ...COMMON,
    absWorkingDir: root,
    outdir: join(folder, 'lib'),
    entryPoints: [pointOf(entry)],
    define: NODE_22,
    external: entry.peers.flatMap((peer) => [peer, `${peer}/*`]),
  });
  return metafile;
}

function pointOf({ name }: Entry): { in: string; out: string } {
  return { in: `npm/entries/${name}.ts`, out: name };
}

/** Names in the sources, and those in `npm/runtime/node-22.ts` that take their places. */
const NODE_22 = { 'Error.isError': 'isError', 'RegExp.escape': 'escapeRegExp', Float16Array: 'HalfFloats' };

const COMMON = {
  bundle: true,
  minify: true,
  // Node prints the line that an uncaught error was thrown on.
  lineLimit: 160,
  // Names of errors and stack traces stay readable, as in the worker's package.
  keepNames: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  mainFields: ['module', 'main'],
  chunkNames: '[name]-[hash]',
  inject: ['npm/runtime/node-22.ts'],
  banner: { js: COMMONJS },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** The module that says what an action is, in a checkout. */
const WHEN_RUN = /\/when-run\.ts$/;

function whenRunOfPackage(root: string) {
  return {
    name: 'when-run',
    setup(build) {
      build.onResolve({ filter: WHEN_RUN }, () => ({ path: join(root, 'npm/runtime/when-run.ts') }));
    },
  } satisfies NonNullable<BuildOptions['plugins']>[number];
}
