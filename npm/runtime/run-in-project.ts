import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { printNote } from '../../cli/terminal/terminal.ts';
import { projectAt } from '../../setup/project.mjs';
import { UserError } from '../../shared/contract/user-error.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { cacheFolderPath } from '../../shared/runtime/user-folders.ts';
import { cachedFolder } from './cached-folder.ts';
import { PACKAGE } from './folders.ts';
import { runCommand } from './run-command.ts';

/** The version and a digest of the files: each package unpacks its own project. */
declare const PROJECT_NAME: string;

/** The project's archive could not be unpacked. */
export class ProjectError extends UserError {
  override readonly name = 'ProjectError';
}

/**
 * Runs a command from the project's source. It is unpacked into the user's cache, since Node runs no TypeScript in
 * node_modules; there it sets itself up at its first start, as a checkout does.
 *
 * @returns the exit code
 */
export async function runInProject(args: readonly string[]): Promise<number> {
  const place = await cachedFolder(PROJECT_NAME, unpackProject);
  if (!existsSync(join(projectAt(place).toolchain, LAST_STEP))) printSetupNote();
  const bin = join(place, 'bin');
  // First the Node that runs this, for the setup; last the command, so that hints name it as a shell would find it.
  const PATH = [dirname(process.execPath), process.env['PATH'] ?? '', bin].join(delimiter);
  return runCommand(join(bin, 'labelqueue'), args, { ...process.env, PATH });
}

/** Its folder is the last one that the setup makes. */
const LAST_STEP = 'tfjs-binding';

function printSetupNote(): void {
  const shown = visibleLine(cacheFolderPath().replace(homedir(), '~'));
  printNote(`setting up TensorFlow in ${shown}, once: 0.4 GB to download, 1.4 GB on disk …\n`);
}

async function unpackProject(unfinished: string): Promise<void> {
  const archive = join(PACKAGE, 'project.tar.gz');
  try {
    await promisify(execFile)('tar', ['-x', '-z', '-f', archive, '--no-same-owner', '-C', unfinished]);
  } catch (error) {
    const [from, to, reason] = [archive, cacheFolderPath(), reasonOf(error)].map(visibleLine);
    throw new ProjectError(`tar could not unpack ${from} to ${to}: ${reason}`, { cause: error });
  }
}

/** The first line names the reason; the last one is that tar has failed. */
function reasonOf(error: unknown): string {
  const { code, stderr } = error as { code?: unknown; stderr?: string };
  return code === 'ENOENT' ? 'tar is not installed' : (stderr?.trim().split('\n').at(0) ?? '');
}
