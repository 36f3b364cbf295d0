import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'avx2-only.c');

/** What makes a program see AVX2 alone, or why nothing here can. */
export type Avx2Only = { environment: Readonly<Record<string, string>> } | { reason: string };

/**
 * Compiles `avx2-only.c` and tries it out.
 *
 * @param folder where the library is put
 * @returns `reason` where the processor, the kernel or the compiler cannot do it: that half of the benchmark is left out
 */
export async function prepareAvx2Only(folder: string): Promise<Avx2Only> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: `expected Linux on x86-64, this is ${process.platform} on ${process.arch}` };
  }
  if (!/^flags\s*:.*\bavx2\b/m.test(await readFile('/proc/cpuinfo', 'utf8'))) {
    return { reason: 'expected a processor with AVX2' };
  }
  try {
    const library = await compileAvx2Only(folder);
    const environment = { LD_PRELOAD: library };
    await run('/bin/true', [], { env: { ...process.env, ...environment } });
    return { environment };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
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
  // The compiler of the set-up, which speaks C as well.
  await run(compiler, [...wrapped, '-x', 'c', ...flags, '-o', library, SOURCE, '-ldl']);
  return library;
}

function reasonOf(error: unknown): string {
  const { stderr = '', message = String(error) } = error as { stderr?: string; message?: string };
  return (stderr.trim() || message).split('\n')[0] ?? message;
}
