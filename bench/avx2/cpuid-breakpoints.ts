import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CPUID = Buffer.from([0x0f, 0xa2]);
/** A breakpoint and a NOP: as long as CPUID. */
const BREAKPOINT = Buffer.from([0xcc, 0x90]);

/**
 * Replaces each CPUID instruction of a library by a breakpoint, which `avx2-only.c` answers as a processor with AVX2 would.
 * Only instructions that binutils' disassembler finds are replaced: the two bytes can also be part of other ones.
 *
 * @returns how many were replaced
 * @throws Error where the library has none, or the disassembler and the file do not agree
 */
export async function replaceCpuid(library: string): Promise<number> {
  const addresses = await cpuidAddresses(library);
  if (addresses.length === 0) throw new Error(`expected CPUID instructions in ${library}: it has none`);
  const bytes = await readFile(library);
  const offsetOf = fileOffsets(bytes);
  for (const address of addresses) {
    const offset = offsetOf(address);
    if (!bytes.subarray(offset, offset + 2).equals(CPUID)) {
      throw new Error(`expected CPUID at 0x${address.toString(16)} of ${library}, at byte ${offset} of the file`);
    }
    BREAKPOINT.copy(bytes, offset);
  }
  await writeFile(library, bytes);
  return addresses.length;
}

async function cpuidAddresses(library: string): Promise<number[]> {
  // The listing of a library of 20 MB has a few hundred megabytes.
  const { stdout } = await run('sh', ['-c', 'objdump -d --no-show-raw-insn "$0" | grep -w cpuid || true', library]);
  return [...stdout.matchAll(/^\s*([\da-f]+):\s+cpuid/gm)].map(([, address]) => Number.parseInt(address ?? '', 16));
}

/** Where in an ELF file of 64 bits an address of its memory image is. Offsets of fields: elf(5), Elf64_Ehdr and Elf64_Phdr. */
function fileOffsets(elf: Buffer): (address: number) => number {
  const start = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  const segments = Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const header = start + index * size;
    const [offset, address, , length] = [8, 16, 24, 32].map((at) => Number(elf.readBigUInt64LE(header + at)));
    return { isLoaded: elf.readUInt32LE(header) === 1, offset, address, length } as Segment;
  });
  return (address) => {
    const segment = segments.find(
      ({ isLoaded, address: first, length }) => isLoaded && address >= first && address < first + length,
    );
    if (segment === undefined) throw new Error(`no segment of the file has the address 0x${address.toString(16)}`);
    return address - segment.address + segment.offset;
  };
}

type Segment = { isLoaded: boolean; offset: number; address: number; length: number };
