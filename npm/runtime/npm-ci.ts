import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** npm's default number of tries, within seconds: by default npm waits for more than a minute without a network. */
const OPTIONS = [
  '--ignore-scripts',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  '--no-update-notifier',
  '--logs-max=0',
  '--fetch-retries=3',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-factor=3',
];

/**
 * Installs what the lock file of a folder says into its `node_modules`, with the hashes checked.
 *
 * @returns npm's exit code, null when it could not be started; and what it printed
 */
export async function npmCi(folder: string): Promise<{ code: number | null; output: string }> {
  const [command = 'npm', ...args] = npmCommand();
  const child = spawn(command, [...args, 'ci', ...OPTIONS], {
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

/** Drops what npm passes to its children about its own run (a prefix, a global install); the user's settings stay. */
function npmEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own =
    /^npm_(config_(global|prefix|local_prefix|global_prefix|location|package|call|workspace.*|ignore_scripts|omit|include|dry_run)|package_.*|lifecycle_.*)$/i;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name)));
}
