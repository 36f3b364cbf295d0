import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NPM_CI, npmEnvironment } from '../../setup/tool-environment.mjs';

/**
 * Installs what the lock file of a folder says into its `node_modules`, with the hashes checked.
 *
 * @returns npm's exit code, null when it could not be started; and what it printed
 */
export async function npmCi(folder: string): Promise<{ code: number | null; output: string }> {
  const [command = 'npm', ...args] = npmCommand();
  const child = spawn(command, [...args, ...NPM_CI], {
    cwd: folder,
    env: npmEnvironment(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, output: `${command}: ${error.message}` }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** The npm that started this command, else the one installed with this Node, else the first on PATH. */
function npmCommand(): string[] {
  const besideNode = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  const script = [process.env['npm_execpath'], besideNode].find(
    (path) => path !== undefined && /npm-cli\.js$/.test(path) && existsSync(path),
  );
  return script === undefined ? ['npm'] : [process.execPath, script];
}
