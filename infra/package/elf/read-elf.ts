import type { FileHandle } from 'node:fs/promises';
import type { Architecture } from '../../../shared/contract/worker-time.ts';

/** Sizes of the structures of a 64-bit ELF file; elf(5). */
export const HEADER_BYTES = 64;
export const SEGMENT_BYTES = 56;
export const SECTION_BYTES = 64;

/** `e_machine` of the architectures of Lambda. */
const MACHINES: ReadonlyMap<number, Architecture> = new Map([
  [62, 'x86_64'],
  [183, 'arm64'],
]);

/** `sh_type` of a section that has no bytes in the file, and of the versions that a library asks others for. */
export const NOBITS = 8;
const VERNEED = 0x6ffffffe;

/** `p_type` of what is loaded into memory. */
export const LOAD = 1;

/** Bytes of the file that are loaded into memory, or a part of them that has a meaning of its own. */
export type Segment = { type: number; offset: number; bytes: number; alignment: number };

export type Section = {
  type: number;
  /** Whether it is loaded into memory. Only debuggers and linkers read the others. */
  loaded: boolean;
  offset: number;
  bytes: number;
  /** Index of another section, by type; of the names of a section of versions. */
  link: number;
};

/** A 64-bit little-endian ELF file: a program, a library or an add-on for Node. */
export type Elf = {
  /** Undefined for one that Lambda does not have. */
  architecture: Architecture | undefined;
  /** The first {@link HEADER_BYTES} bytes. */
  header: Buffer;
  segments: readonly Segment[];
  sections: readonly Section[];
  /** Index of the section with the names of sections. */
  names: number;
};

/** @returns undefined for anything else */
export async function readElf(file: FileHandle): Promise<Elf | undefined> {
  const header = await bytesAt(file, 0, HEADER_BYTES);
  // 0x7f E L F, 64 bits, little-endian.
  if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
  const segments = await tableAt(file, offsetIn(header, 32), SEGMENT_BYTES, header.readUInt16LE(56));
  const sections = await tableAt(file, offsetIn(header, 40), SECTION_BYTES, header.readUInt16LE(60));
  return {
    architecture: MACHINES.get(header.readUInt16LE(18)),
    header,
    segments: segments.map(segmentOf),
    sections: sections.map(sectionOf),
    names: header.readUInt16LE(62),
  };
}

function segmentOf(entry: Buffer): Segment {
  return {
    type: entry.readUInt32LE(0),
    offset: offsetIn(entry, 8),
    bytes: offsetIn(entry, 32),
    alignment: offsetIn(entry, 48),
  };
}

function sectionOf(entry: Buffer): Section {
  return {
    type: entry.readUInt32LE(4),
    loaded: (entry.readUInt32LE(8) & 2) !== 0,
    offset: offsetIn(entry, 24),
    bytes: offsetIn(entry, 32),
    link: entry.readUInt32LE(40),
  };
}

/** Versions of other libraries' functions that a library needs, such as `GLIBC_2.28`. */
export async function versionsNeeded(file: FileHandle, { sections }: Elf): Promise<string[]> {
  const needs = sections.find(({ type }) => type === VERNEED);
  const names = sections[needs?.link ?? -1];
  if (needs === undefined || names === undefined) return [];
  const [records, strings] = await Promise.all([needs, names].map(({ offset, bytes }) => bytesAt(file, offset, bytes)));
  return records === undefined || strings === undefined ? [] : nameOffsets(records).map((at) => textAt(strings, at));
}

/** Of each library a record, followed by one for each of its versions; both name the distance to the next. */
function nameOffsets(records: Buffer): number[] {
  const found: number[] = [];
  for (let library = 0, last = false; !last; library += records.readUInt32LE(library + 12)) {
    let version = library + records.readUInt32LE(library + 8);
    for (let left = records.readUInt16LE(library + 2); left > 0; left--) {
      found.push(records.readUInt32LE(version + 8));
      version += records.readUInt32LE(version + 12);
    }
    last = records.readUInt32LE(library + 12) === 0;
  }
  return found;
}

function textAt(strings: Buffer, start: number): string {
  return strings.toString('latin1', start, strings.indexOf(0, start));
}

async function tableAt(file: FileHandle, offset: number, entryBytes: number, count: number): Promise<Buffer[]> {
  const table = await bytesAt(file, offset, entryBytes * count);
  return Array.from({ length: count }, (_, index) => table.subarray(entryBytes * index, entryBytes * (index + 1)));
}

/** @returns zeros for what is behind the end of the file */
export async function bytesAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  if (bytes > 0) await file.read(buffer, 0, bytes, offset);
  return buffer;
}

/** Offsets and sizes have 64 bits; those of a file that exists fit a number. */
function offsetIn(structure: Buffer, at: number): number {
  return Number(structure.readBigUInt64LE(at));
}
