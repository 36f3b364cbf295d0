import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HADOLINT, pythonPackages } from './python-packages.ts';

/** @returns what hadolint prints of a Dockerfile, from the lowest severity on; empty when it finds nothing */
export async function hadolint(dockerfile: string): Promise<string> {
  const command = join(await pythonPackages(HADOLINT), 'bin/hadolint');
  // A configuration of the user's, in their home or at the root of the checkout, must not matter.
  const alone = { cwd: tmpdir(), env: { HOME: tmpdir() } };
  const run = promisify(execFile)(command, ['--no-color', '-'], alone);
  run.child.stdin?.end(dockerfile);
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string; message: string }) => error.stdout || error.message,
  );
}
