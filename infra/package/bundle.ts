import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { tfjsPlugin } from './tfjs-plugin.ts';

/** What CommonJS packages expect to be there and an ES module does not have. */
const COMMONJS = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

/**
 * Bundles the functions into a folder, minified, with a source map beside each file. The modules lie as
 * deep as they do in the project, so that what they look for beside themselves or at `../../` is there.
 *
 * @param root the project's folder
 * @param folder made anew
 * @returns what went into which file
 * @throws esbuild's BuildFailure, whose messages esbuild has printed
 */
export async function bundleWorker(root: string, folder: string): Promise<Metafile> {
  await rm(folder, { recursive: true, force: true });
  const { metafile: ofFunctions } = await build({
    ...common(root, folder),
    entryPoints: [
      { in: 'functions/classify/lambda.ts', out: 'index' },
      { in: 'functions/api/lambda.ts', out: 'api' },
      { in: 'functions/chat/lambda.ts', out: 'chat' },
      { in: 'functions/announce/lambda.ts', out: 'announce' },
      { in: 'functions/sweep/lambda.ts', out: 'sweep' },
      { in: 'functions/classify/isolated-classifier.ts', out: 'functions/classify/isolated-classifier' },
      // Beside the chunks, where the module that starts it looks for it.
      { in: 'shared/classifier/decode/isolated-decoder.ts', out: 'functions/classify/isolated-decoder' },
    ],
    chunkNames: 'functions/classify/[name]-[hash]',
    splitting: true,
  });
  const { metafile: ofWork } = await build({ ...common(root, folder), entryPoints: WORK });
  return { ...ofFunctions, outputs: { ...ofFunctions.outputs, ...ofWork.outputs } };
}

/**
 * What runs outside Lambda: `labelqueue work` with the process that it starts for the functions' handler, and what sends its logs.
 * Each is a file of its own, beside the functions: shared chunks would change what Lambda loads at a cold start.
 */
const WORK = [
  { in: 'worker/main.ts', out: 'work' },
  { in: 'worker/runtime-bootstrap.ts', out: 'runtime-bootstrap' },
  { in: 'worker/logs/ship-logs.ts', out: 'ship-logs' },
];

function common(root: string, folder: string) {
  return {
    absWorkingDir: root,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    // Error names and stack traces stay readable.
    keepNames: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // Modules load faster than CommonJS wrappers, and what is not used of them is left out.
    mainFields: ['module', 'main'],
    external: ['sharp'],
    banner: { js: COMMONJS },
    plugins: [tfjsPlugin],
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  } as const satisfies BuildOptions;
}

/** The packages of which something is in the bundle: their folders in the project, sorted. */
export function bundledPackages(metafile: Metafile): string[] {
  const folders = new Set<string>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
      if (folder !== undefined && bytesInOutput > 0) folders.add(join(folder));
    }
  }
  return [...folders].sort();
}
