import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ENTRIES } from './manifest.ts';
import { requireOfTools } from './tools.ts';

export type DeclarationFolders = {
  /** The project's. */
  root: string;
  /** For what is made on the way. */
  work: string;
  /** Where the `.d.ts` files go, one per entry. */
  types: string;
  /** Where the API reports go. */
  reports: string;
};

/**
 * Makes the types of each entry, one file with what is public alone, and its API report.
 *
 * @throws when an entry's types cannot be made
 */
export async function makeDeclarations({ root, work, types, reports }: DeclarationFolders): Promise<void> {
  const emitted = join(work, 'declarations');
  await rm(emitted, { recursive: true, force: true });
  await promisify(execFile)(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    ...['-p', join(root, 'npm/build/tsconfig.json'), '--outDir', emitted],
  ]);
  await tidy(emitted);
  for (const folder of [types, reports]) await mkdir(folder, { recursive: true });
  for (const { name } of ENTRIES) await rollUp(name, { root, work, types, reports, emitted });
}

const RELATIVE_IMPORT = /((?:\bfrom|\bimport\()\s*['"]\.{1,2}\/[^'"]*)\.ts(?=['"])/g;

/** What an error code means, for people: another wording is no other type. */
const MEANING = /\b(readonly meaning: )(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/g;

/** The sources import each other as `.ts`; declarations are found beside `.js`. */
async function tidy(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const path = join(folder, name);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll(RELATIVE_IMPORT, '$1.js').replaceAll(MEANING, '$1string'));
  }
}

async function rollUp(name: string, { root, work, types, reports, emitted }: DeclarationFolders & { emitted: string }) {
  const { Extractor, ExtractorConfig } = (await requireOfTools())('@microsoft/api-extractor');
  const entry = join(emitted, `npm/entries/${name}.d.ts`);
  const compilerOptions = {
    target: 'es2022',
    lib: ['esnext'],
    module: 'nodenext',
    types: ['node'],
    skipLibCheck: true,
  };
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      compiler: { overrideTsconfig: { compilerOptions, files: [entry] } },
      apiReport: {
        enabled: true,
        reportFolder: reports,
        reportTempFolder: join(work, 'reports'),
        reportFileName: `${name}.api.md`,
        // What is public is made of them, so their changes are changes of it.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: true, untrimmedFilePath: join(types, `${name}.d.ts`) },
      tsdocMetadata: { enabled: false },
      messages: QUIET,
    },
  });
  const problems: string[] = [];
  await mkdir(join(work, 'reports'), { recursive: true });
  const { succeeded } = Extractor.invoke(config, { localBuild: true, messageCallback: keeping(problems) });
  if (!succeeded) throw new Error(`the types of ${name} could not be made:\n${problems.join('\n')}`);
}

/** Whether something is marked as public, and how comments are written, is not what this is for. */
const QUIET = {
  compilerMessageReporting: { default: { logLevel: 'error' } },
  extractorMessageReporting: {
    'ae-missing-release-tag': { logLevel: 'none' },
    'ae-undocumented': { logLevel: 'none' },
    'ae-forgotten-export': { logLevel: 'none' },
    'ae-unresolved-link': { logLevel: 'none' },
    default: { logLevel: 'error' },
  },
  tsdocMessageReporting: { default: { logLevel: 'none' } },
};

type ExtractorMessage = { logLevel: string; text: string; handled: boolean };

function keeping(problems: string[]): (message: ExtractorMessage) => void {
  return (message) => {
    if (message.logLevel === 'error') problems.push(message.text);
    message.handled = message.logLevel !== 'error';
  };
}
