import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';

/** A processor as the system describes it. What TensorFlow makes of it is another matter, see `findIntegerSums`. */
export type Processor = {
  /** e.g. `Intel(R) Xeon(R) Processor @ 2.50GHz`; `unknown` where the system does not say. */
  name: string;
  /** Those of its features that decide how fast a model is computed, sorted. */
  flags: readonly string[];
};

/** As Linux names them, of x86 and of Arm. */
const FLAGS = new Set([
  'amx_int8',
  'asimd',
  'asimddp',
  'avx2',
  'avx512_vnni',
  'avx512f',
  'avx_vnni',
  'bf16',
  'i8mm',
  'sve',
]);

/** @param cpuinfo Linux's list of processors; without one, as on macOS, no flags are known */
export async function describeProcessor(cpuinfo = '/proc/cpuinfo'): Promise<Processor> {
  return { name: cpus()[0]?.model || 'unknown', flags: flagsIn(await readFile(cpuinfo, 'utf8').catch(() => '')) };
}

function flagsIn(cpuinfo: string): string[] {
  const [, flags = ''] = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo) ?? [];
  return flags
    .split(/\s+/)
    .filter((flag) => FLAGS.has(flag))
    .sort();
}
