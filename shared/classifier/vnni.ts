import { readFile } from 'node:fs/promises';

/** With one of these, oneDNN may be told to do without what the processor has. */
const ISA_VARIABLES = ['ONEDNN_MAX_CPU_ISA', 'DNNL_MAX_CPU_ISA'];

/**
 * Whether TensorFlow can have the processor multiply eight-bit integers into 32-bit sums (AVX-512 VNNI). Without it oneDNN adds
 * pairs of products in 16 bits, which overflow: an int8 model then answers wrongly, not just slowly.
 *
 * @param cpuinfo Linux's list of processors; one that is not there, as on macOS, or that is not x86, has none
 */
export async function hasVnni(cpuinfo = '/proc/cpuinfo'): Promise<boolean> {
  if (ISA_VARIABLES.some((name) => process.env[name] !== undefined)) return false;
  try {
    return /^flags\s*:.*\bavx512_vnni\b/m.test(await readFile(cpuinfo, 'utf8'));
  } catch {
    return false;
  }
}
