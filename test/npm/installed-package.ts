import { execFile, spawn } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../../testkit/eventually.ts';
import type { CommandRun } from '../support/command.ts';

const ROOT = join(import.meta.dirname, '../..');
const TELL_ADDONS = pathToFileURL(join(ROOT, 'test/support/tell-addons.mjs')).href;
/** Keeps what commands fetch at their first use: it is downloaded when this test runs for the first time. */
const CACHE = join(ROOT, '.labelqueue/npm-parts');

const run = promisify(execFile);

/** Builds the package from the sources and packs it. @returns the path of the archive */
export async function packedPackage(folder: string): Promise<string> {
  const built = join(folder, 'built');
  await run(process.execPath, [join(ROOT, 'npm/build.ts'), built]);
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: built });
  return join(folder, stdout.trim());
}

/** How npm reaches the registry from this machine. */
function networkOfUser(): Record<string, string> {
  const own =
    /^(npm_config_(registry|cafile|ca|(https?_)?proxy|noproxy|strict_ssl)|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|(HTTPS?|NO)_PROXY)$/i;
  const given = Object.entries(process.env).flatMap(([name, value = '']) => (own.test(name) ? [[name, value]] : []));
  return { npm_config_userconfig: join(homedir(), '.npmrc'), ...Object.fromEntries(given) };
}

/** The package in a folder of its own, which has nothing else, run by one Node. */
export class InstalledPackage {
  readonly folder: string;
  readonly #environment: Record<string, string>;

  private constructor(folder: string, environment: Record<string, string>) {
    this.folder = folder;
    this.#environment = environment;
  }

  /** @param folder that exists and is empty */
  static async install(archive: string, folder: string, node: string): Promise<InstalledPackage> {
    const environment = {
      ...networkOfUser(),
      PATH: [dirname(node), process.env['PATH']].join(delimiter),
      HOME: folder,
      XDG_CACHE_HOME: CACHE,
      XDG_STATE_HOME: join(folder, 'state'),
      npm_config_cache: join(folder, 'npm-cache'),
    };
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    await run('npm', ['install', '--no-audit', '--no-fund', archive], { cwd: folder, env: environment });
    return new InstalledPackage(folder, environment);
  }

  /** Where a file of the package is. */
  path(name: string): string {
    return join(this.folder, 'node_modules/labelqueue', name);
  }

  /** Gives the folder a package of this project, as a user would install it. */
  async add(name: string): Promise<void> {
    await symlink(join(ROOT, 'node_modules', name), join(this.folder, 'node_modules', name));
  }

  /** Runs `labelqueue` to its end. */
  labelqueue(args: readonly string[], environment: Record<string, string> = {}): Promise<CommandRun> {
    return this.start(join(this.folder, 'node_modules/.bin/labelqueue'), args, environment).ended;
  }

  /** Runs a program in the folder. */
  start(command: string, args: readonly string[], environment: Record<string, string> = {}) {
    const child = spawn(command, args, { cwd: this.folder, env: { ...this.#environment, ...environment } });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text;
      });
    }
    child.stdin.end();
    const { promise: ended, resolve, reject } = Promise.withResolvers<CommandRun>();
    child.once('error', reject).once('close', (code) => resolve({ code, ...output }));
    return {
      ended,
      interrupt: () => void child.kill('SIGINT'),
      /** Waits for a text on standard output. @returns the first group of the pattern */
      async says(pattern: RegExp): Promise<string> {
        await eventually(`${pattern} on standard output`, () => pattern.test(output.stdout), 60_000);
        return pattern.exec(output.stdout)?.[1] ?? '';
      },
    };
  }

  /** Runs `labelqueue` to its end. @returns what it did, and the native addons that it has loaded */
  async withAddons(args: readonly string[], environment: Record<string, string> = {}) {
    const told = join(this.folder, 'addons.txt');
    await writeFile(told, '');
    const done = await this.labelqueue(args, {
      ...environment,
      NODE_OPTIONS: `--import ${TELL_ADDONS}`,
      TELL_ADDONS: told,
    });
    return { ...done, addons: (await readFile(told, 'utf8')).split('\n').filter(Boolean) };
  }
}
