import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { lambdaToolchain, nodeFor } from '../../../infra/package/lambda-toolchain.ts';
import { GLIBC_VERSION } from '../../../setup/pinned.mjs';
import { projectAt } from '../../../setup/project.mjs';

const run = promisify(execFile);
const PROJECT = projectAt(join(import.meta.dirname, '../../..'));
const HIDE = join(import.meta.dirname, 'hide-processors.c');
const INVOKE = join(import.meta.dirname, 'invoke-handler.mjs');

/** Where Debian's packages for cross-compiling put the system libraries of arm64. */
const SYSTEM = '/usr/aarch64-linux-gnu';
const SYSTEM_LIBRARIES = ['ld-linux-aarch64.so.1', 'libc.so.6', 'libstdc++.so.6', 'libgcc_s.so.1'];

/** The processor of Lambda's arm64, AWS Graviton2. */
const GRAVITON2 = 'neoverse-n1';

/** An emulator of arm64 with system libraries to run programs of it, or what there is not. */
export type Arm64Emulator = { qemu: string } | { missing: string };

export function findArm64Emulator(): Arm64Emulator {
  const qemu = ['qemu-aarch64', 'qemu-aarch64-static'].map(onPath).find((path) => path !== undefined);
  const lacking = SYSTEM_LIBRARIES.filter((name) => !existsSync(join(SYSTEM, 'lib', name)));
  if (qemu !== undefined && lacking.length === 0) return { qemu };
  return {
    missing:
      `${qemu === undefined ? 'no qemu-aarch64 on PATH' : `no ${lacking.join(', ')} in ${SYSTEM}/lib`}; on Debian or Ubuntu: ` +
      'sudo apt-get install qemu-user libc6-arm64-cross libstdc++6-arm64-cross',
  };
}

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** What a handler has answered, and what its process saw. */
export type EmulatedInvocation = {
  response: unknown;
  /** `process.arch`. */
  processor: string;
  /** What `/sys/devices/system/cpu/possible` holds, or the code of the error. */
  processorList: string;
  log: string;
};

export type EmulatedHandler = {
  /** The handler's module in an unzipped package for arm64. */
  module: string;
  event: unknown;
  environment: Readonly<Record<string, string>>;
  /** Where the library that hides files is compiled. */
  folder: string;
};

/**
 * Runs a packaged handler once on an emulated Graviton2, without the files that Lambda's arm64 lacks.
 *
 * @throws when the process ends without an answer, with all that it printed
 */
export async function invokeOnArm64(
  emulator: Arm64Emulator,
  { module, event, environment, folder }: EmulatedHandler,
): Promise<EmulatedInvocation> {
  if ('missing' in emulator) throw new Error(emulator.missing);
  const node = await arm64Node();
  const hide = await compiledForArm64(folder);
  const guest = ['-L', SYSTEM, '-cpu', GRAVITON2, '-E', `LD_PRELOAD=${hide}`];
  const child = spawn(emulator.qemu, [...guest, node, INVOKE, module, JSON.stringify(event)], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const [stdout, stderr, ending] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const log = `${stdout}${stderr}`;
  if (ending !== 'exit code 0') throw new Error(`the emulated worker ended with ${ending}:\n${log}`);
  return { ...JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''), log };
}

/** Fetched at the first call. @returns the path of the program */
async function arm64Node(): Promise<string> {
  return join(await nodeFor(PROJECT, 'linux-arm64'), 'bin/node');
}

/** @returns the path of the library that hides files, for LD_PRELOAD */
async function compiledForArm64(folder: string): Promise<string> {
  const [zig] = lambdaToolchain(PROJECT, 'linux-arm64').steps;
  if (zig === undefined) throw new Error('expected Zig to be the first step, there is none');
  const library = join(folder, 'hide-processors.so');
  const target = `aarch64-linux-gnu.${GLIBC_VERSION}`;
  const flags = ['-target', target, '-O2', '-Wall', '-Werror', '-shared', '-fPIC', '-ldl'];
  const caches = { ZIG_GLOBAL_CACHE_DIR: join(folder, 'zig-cache'), ZIG_LOCAL_CACHE_DIR: join(folder, 'zig-cache') };
  await run(join(zig.place, 'zig'), ['cc', ...flags, '-o', library, HIDE], { env: { ...process.env, ...caches } });
  return library;
}
