import { chmod, cp } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { printNote } from '../../cli/terminal/terminal.ts';
import { runNode } from '../../setup/run-node.mjs';
import { cacheFolder, PACKAGE } from './folders.ts';
import { wholeFolder } from './whole-folder.ts';

/** The version and a digest of the files: another package brings another project. */
declare const PROJECT_NAME: string;

/**
 * Runs a command from the project's source. It is copied out of the package, since Node runs no TypeScript in node_modules;
 * the copy sets itself up at its first start, as a checkout does.
 *
 * @returns the exit code
 */
export async function runInProject(args: readonly string[]): Promise<number> {
  const place = join(cacheFolder(), PROJECT_NAME);
  await wholeFolder(place, copyProject, () => printNote('waiting for another command that sets labelqueue up\n'));
  const bin = join(place, 'bin');
  // Behind all others: it is there for hints, which name the command as a shell finds it.
  const PATH = `${process.env['PATH'] ?? ''}${delimiter}${bin}`;
  return runNode(join(bin, 'labelqueue'), [...args], { ...process.env, PATH });
}

async function copyProject(unfinished: string): Promise<void> {
  await cp(join(PACKAGE, 'project'), unfinished, { recursive: true });
  // npm keeps this bit only of what the package links as a command.
  await chmod(join(unfinished, 'bin/labelqueue'), 0o755);
}
