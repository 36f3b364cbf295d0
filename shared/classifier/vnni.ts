import { readFile } from 'node:fs/promises';

/**
 * Whether the processor multiplies eight-bit integers into 32-bit sums (AVX-512 VNNI). Without it oneDNN adds
 * pairs of products in 16 bits, which overflow: an int8 model then answers wrongly, not just slowly.
 *
 * @param cpuinfo Linux's list of processors; one that is not there, as on macOS, or that is not x86, has none
 */
export async function hasVnni(cpuinfo = '/proc/cpuinfo'): Promise<boolean> {
  try {
    return /^flags\s*:.*\bavx512_vnni\b/m.test(await readFile(cpuinfo, 'utf8'));
  } catch {
    return false;
  }
}
