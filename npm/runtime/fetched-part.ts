import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { printNote } from '../../cli/terminal/terminal.ts';
import { UserError } from '../../shared/contract/user-error.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { cacheFolder, PACKAGE } from './folders.ts';
import { npmCi } from './npm-ci.ts';
import { wholeFolder } from './whole-folder.ts';

/** What is too large for the package, and only some commands need. `parts/<folder>/` of the package has its lock file. */
export type Part = {
  /** The npm package that is imported. */
  package: string;
  /** As people know it, with its version. */
  title: string;
  /** In `parts/`; also the name in the cache, so it changes with the lock file. */
  folder: string;
  /** What it is for. */
  purpose: string;
};

/** A part could not be fetched. */
export class PartError extends UserError {
  override readonly name = 'PartError';
}

/**
 * Loads a package that is fetched from the npm registry at its first use: in the versions, and with the hashes, of a lock
 * file of this package.
 *
 * @returns the module
 * @throws {PartError} when npm cannot fetch it
 */
export async function fetchedPart(part: Part): Promise<Record<string, unknown>> {
  const place = join(cacheFolder(), `${part.folder}-${process.platform}-${process.arch}`);
  await wholeFolder(
    place,
    (unfinished) => fetchInto(unfinished, part),
    () => printNote(`waiting for another command that fetches ${part.title}\n`),
  );
  const path = createRequire(join(place, 'from-here.js')).resolve(part.package);
  return import(pathToFileURL(path).href);
}

async function fetchInto(folder: string, { title, purpose, folder: name }: Part): Promise<void> {
  const shown = cacheFolder().replace(homedir(), '~');
  printNote(`fetching ${title} for ${purpose}, once, into ${visibleLine(shown)} …\n`);
  for (const file of ['package.json', 'package-lock.json']) {
    await copyFile(join(PACKAGE, 'parts', name, file), join(folder, file));
  }
  const began = performance.now();
  const { code, output } = await npmCi(folder);
  if (code !== 0) throw new PartError(failureText(title, purpose, output));
  printNote(`fetched ${title} in ${((performance.now() - began) / 1_000).toFixed(1)} s\n`);
}

/** The first ones name the error and what was asked for; after them come stacks and advice. */
const SHOWN_LINES = 4;

function failureText(title: string, purpose: string, output: string): string {
  const all = output.split('\n').filter((line) => line.trim() !== '');
  const errors = all.filter((line) => /^npm (error|ERR!) (?!\s*(at |\[cause\]))/.test(line));
  const lines = (errors.length > 0 ? errors : all).slice(0, SHOWN_LINES).map((line) => `  ${visibleLine(line)}`);
  return `npm could not fetch ${title}, which ${purpose} needs:\n${lines.join('\n')}\nExpected a connection to the npm registry; when there is one, run the command again.`;
}
