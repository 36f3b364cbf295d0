import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { printNote } from '../../cli/terminal/terminal.ts';
import { npmEnvironment } from '../../setup/tool-environment.mjs';
import { UserError } from '../../shared/contract/user-error.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { cacheFolderPath } from '../../shared/runtime/user-folders.ts';
import { cachedFolder } from './cached-folder.ts';
import { PACKAGE } from './folders.ts';
import { npmCi } from './npm-ci.ts';

/** A dependency that is too large for the package and that only some commands need. Its lock file is in `parts/<folder>/`. */
export type Part = {
  /** The npm package to import. */
  package: string;
  /** Its name for people, with the version. */
  title: string;
  /** In `parts/`; also its name in the cache. Changes with the lock file. */
  folder: string;
  /** Completes "needed for …". */
  purpose: string;
};

/** A part could not be downloaded. */
export class PartError extends UserError {
  override readonly name = 'PartError';
}

/**
 * Loads a part. At its first use it is downloaded from the npm registry, with the versions and hashes of its lock file.
 *
 * @returns the module
 * @throws {PartError} when npm cannot download it
 */
export async function fetchedPart(part: Part): Promise<Record<string, unknown>> {
  const name = `${part.folder}-${process.platform}-${process.arch}`;
  const place = await cachedFolder(name, (unfinished) => fetchInto(unfinished, part));
  const path = createRequire(join(place, 'from-here.js')).resolve(part.package);
  return import(pathToFileURL(path).href);
}

async function fetchInto(folder: string, part: Part): Promise<void> {
  const { title, purpose, folder: name } = part;
  const shown = cacheFolderPath().replace(homedir(), '~');
  printNote(`downloading ${title} (for ${purpose}) to ${visibleLine(shown)}, once …\n`);
  for (const file of ['package.json', 'package-lock.json']) {
    await copyFile(join(PACKAGE, 'parts', name, file), join(folder, file));
  }
  const began = performance.now();
  const { code, output } = await npmCi(folder);
  // npm takes it for success when an optional package, such as a native one, could not be downloaded.
  if (code !== 0 || !(await loadsFrom(folder, part.package))) throw new PartError(failureText(title, purpose, output));
  printNote(`downloaded ${title} in ${((performance.now() - began) / 1_000).toFixed(1)} s\n`);
}

/**
 * In a process of its own: this one loads it from the folder's final place. NODE_OPTIONS may name modules by paths that are not in
 * that folder.
 */
async function loadsFrom(folder: string, name: string): Promise<boolean> {
  const load = `import(${JSON.stringify(name)})`;
  const options = { cwd: folder, env: npmEnvironment(process.env) };
  return promisify(execFile)(process.execPath, ['--input-type=module', '--eval', `await ${load}`], options).then(
    () => true,
    () => false,
  );
}

/** The first lines name the error and the request; stack traces and advice follow. */
const SHOWN_LINES = 4;

function failureText(title: string, purpose: string, output: string): string {
  const all = output.split('\n').filter((line) => line.trim() !== '');
  const errors = all.filter((line) => /^npm (error|ERR!) (?!\s*(at |\[cause\]))/.test(line));
  const lines = (errors.length > 0 ? errors : all).slice(0, SHOWN_LINES).map((line) => `  ${visibleLine(line)}`);
  return `npm could not download ${title}, which is needed for ${purpose}:\n${lines.join('\n')}\nCheck the connection to the npm registry, then run the command again.`;
}
