import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { installOnce } from './install-once.ts';

/** A command in Go that goes into a folder of its own. */
export type GoProgram = {
  module: string;
  version: string;
  /** The folder of its command in the module; the last part is its name. */
  command: string;
  /** The output of `go mod download -json` for the module. */
  sum: string;
};

/** Checks workflows of GitHub. */
export const ACTIONLINT: GoProgram = {
  module: 'github.com/rhysd/actionlint',
  version: 'v1.7.12',
  command: 'cmd/actionlint',
  sum: 'h1:vQ4GeJN86C0QH+gTUQcs8McmK62OLT3kmakPMtEWYnY=',
};

/** Checks manifests of Kubernetes. */
export const KUBECONFORM: GoProgram = {
  module: 'github.com/yannh/kubeconform',
  version: 'v0.8.0',
  command: 'cmd/kubeconform',
  sum: 'h1:loDYd3a3spjIFrauqW67CDKF55Oo9R6uvC8AvpVd4ug=',
};

/**
 * A Go program that tests need, fetched and compiled by the Go of this machine.
 *
 * @returns the path of the command
 */
export async function goProgram(wanted: GoProgram): Promise<string> {
  const name = basename(wanted.command);
  return join(await installOnce('go', `${name}-${wanted.version}`, (folder) => install(folder, wanted)), name);
}

async function install(folder: string, { module, version, command, sum }: GoProgram): Promise<void> {
  const { stdout } = await go(['mod', 'download', '-json', `${module}@${version}`]);
  const { Sum } = JSON.parse(stdout) as { Sum?: string };
  if (Sum !== sum) throw new Error(`expected ${module}@${version} with the sum ${sum}, got ${Sum}`);
  await go(['install', `${module}/${command}@${version}`], { GOBIN: folder });
}

/** Outside of any module of the user's. */
function go(args: string[], more: Record<string, string> = {}): Promise<{ stdout: string }> {
  const env = { ...process.env, GOFLAGS: '-buildvcs=false', ...more };
  return promisify(execFile)('go', args, { cwd: tmpdir(), env }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error('tests of the samples for GitHub and Kubernetes need Go, e.g. apt-get install golang-go');
  });
}
