import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ACTIONLINT, goProgram } from './go-program.ts';

/** @returns what actionlint prints of a workflow; empty when it finds nothing */
export async function actionlint(text: string): Promise<string> {
  // Whether this machine has shellcheck and pyflakes, which it would start, must not matter.
  const run = promisify(execFile)(await goProgram(ACTIONLINT), ['-shellcheck=', '-pyflakes=', '-oneline', '-']);
  run.child.stdin?.end(text);
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string; message: string }) => error.stdout || error.message,
  );
}
