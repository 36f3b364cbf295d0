import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';

/** A processor as the system describes it. For what TensorFlow uses of it, see `findIntegerSums`. */
export type Processor = {
  /** e.g. `Intel(R) Xeon(R) Processor @ 2.50GHz`; `unknown` if the system does not report it. */
  name: string;
  /** Its features that determine the speed of a model, sorted. */
  flags: readonly string[];
};

/** Linux names, for x86 and Arm. */
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
