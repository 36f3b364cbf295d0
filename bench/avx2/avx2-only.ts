import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { replaceCpuid } from './cpuid-breakpoints.ts';

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'avx2-only.c');

/**
 * What makes a program see AVX2 alone, or why nothing here can.
 *
 * `trapped`: every CPUID instruction of the program is answered so. `replaced`: those of the named libraries are, and
 * TensorFlow is held to AVX2 by oneDNN's own limit; the rest of the program, e.g. Node itself, sees the whole processor.
 */
export type Avx2Only =
  | { how: 'trapped' | 'replaced'; environment: Readonly<Record<string, string>> }
  | { reason: string };

/**
 * Compiles `avx2-only.c` and tries it out.
 *
 * @param folder where the libraries are put
 * @param libraries shared libraries that choose their code by CPUID once they are loaded, for processors that cannot trap it
 * @returns `reason` where the processor, the kernel or the compiler cannot do it: that half of the benchmark is left out
 */
export async function prepareAvx2Only(folder: string, libraries: readonly string[]): Promise<Avx2Only> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: `expected Linux on x86-64, this is ${process.platform} on ${process.arch}` };
  }
  if (!/^flags\s*:.*\bavx2\b/m.test(await readFile('/proc/cpuinfo', 'utf8'))) {
    return { reason: 'expected a processor with AVX2' };
  }
  try {
    const shim = await compileAvx2Only(folder);
    if (await starts({ LD_PRELOAD: shim })) return { how: 'trapped', environment: { LD_PRELOAD: shim } };
    const environment = await withoutTrap(folder, shim, libraries);
    await run('/bin/true', [], { env: { ...process.env, ...environment } });
    return { how: 'replaced', environment };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

/**
 * The library of the Node peer that chooses its code by CPUID. libvips does, too, and decodes as fast either way, within the
 * noise; TensorFlow has a limit of its own.
 */
export function librariesByCpuid(nodePeer: string): string[] {
  return [join(nodePeer, 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1')];
}

async function starts(environment: Readonly<Record<string, string>>): Promise<boolean> {
  return run('/bin/true', [], { env: { ...process.env, ...environment } }).then(
    () => true,
    () => false,
  );
}

/** Preloaded, a copy stands for every library that has its name: the loader knows libraries by their names. */
async function withoutTrap(folder: string, shim: string, libraries: readonly string[]) {
  const byName = new Map(libraries.map((library) => [basename(library), library]));
  const copies: string[] = [];
  for (const [name, library] of byName) {
    const copy = join(folder, name);
    await copyFile(library, copy);
    await replaceCpuid(copy);
    copies.push(copy);
  }
  return { LD_PRELOAD: [shim, ...copies].join(':'), AVX2_ONLY_UNTRAPPED: 'yes', ONEDNN_MAX_CPU_ISA: 'AVX2' };
}

/**
 * @returns the path of the library, for LD_PRELOAD
 * @throws what the compiler says
 */
export async function compileAvx2Only(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const library = join(folder, 'avx2-only.so');
  // First of all libraries: what others ask of the processor when they are loaded is hidden, too.
  const flags = ['-O2', '-Wall', '-Werror', '-shared', '-fPIC', '-pthread', '-Wl,-z,initfirst'];
  const [compiler = 'g++', ...wrapped] = (process.env['CXX']?.trim() || 'g++').split(/\s+/);
  // The compiler of the setup, which speaks C as well.
  await run(compiler, [...wrapped, '-x', 'c', ...flags, '-o', library, SOURCE, '-ldl']);
  return library;
}

function reasonOf(error: unknown): string {
  const { stderr = '', message = String(error) } = error as { stderr?: string; message?: string };
  return (stderr.trim() || message).split('\n')[0] ?? message;
}
