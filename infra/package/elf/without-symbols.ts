import { type FileHandle, open } from 'node:fs/promises';
import { PackageError } from '../package-error.ts';
import {
  bytesAt,
  type Elf,
  HEADER_BYTES,
  LOAD,
  NOBITS,
  readElf,
  SECTION_BYTES,
  SEGMENT_BYTES,
  type Segment,
} from './read-elf.ts';

/** Part of the key of what is kept: another number for another result. */
export const WITHOUT_SYMBOLS_VERSION = 1;

const PIECE_BYTES = 4 * 1024 * 1024;

/** Bytes of the file that are loaded into memory, and where they are in the copy. */
type Moved = Segment & { to: number };

/**
 * Copies a library without the bytes that are never loaded into memory: symbol tables and debug sections, which only
 * debuggers and linkers read. What `strip` does, for any architecture: that of a system knows its own alone.
 *
 * @throws {PackageError} when it is not a library
 */
export async function copyWithoutSymbols(from: string, to: string): Promise<void> {
  await using source = await open(from);
  const elf = await readElf(source);
  if (elf === undefined) throw new PackageError(`expected a 64-bit ELF library, got something else: ${from}`);
  await using copy = await open(to, 'w');
  const moved = layout(elf.segments);
  for (const part of moved) await copyBytes(source, copy, part);
  await writeTables(source, copy, elf, moved);
}

/**
 * Closes the gaps. A segment is mapped into memory by pages, so that its place in the file has to be the same modulo its
 * alignment.
 */
function layout(segments: readonly Segment[]): Moved[] {
  const loaded = segments.filter(({ type, bytes }) => type === LOAD && bytes > 0).sort((a, b) => a.offset - b.offset);
  const moved: Moved[] = [];
  let end = 0;
  for (const segment of loaded) {
    const alignment = Math.max(1, segment.alignment);
    const to = end + modulo(segment.offset - end, alignment);
    moved.push({ ...segment, to });
    end = to + segment.bytes;
  }
  return moved;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

/** Writes both tables and the header anew; sections keep their numbers, since symbols name them. */
async function writeTables(source: FileHandle, copy: FileHandle, elf: Elf, moved: readonly Moved[]): Promise<void> {
  const end = Math.max(HEADER_BYTES, ...moved.map(({ to, bytes }) => to + bytes));
  const names = elf.sections[elf.names];
  if (names !== undefined) await copyBytes(source, copy, { offset: names.offset, bytes: names.bytes, to: end });
  const sectionsAt = end + (names?.bytes ?? 0) + modulo(-(end + (names?.bytes ?? 0)), 8);
  const header = Buffer.from(elf.header);
  const segmentsFrom = Number(header.readBigUInt64LE(32));
  const segmentsAt = placeOf(segmentsFrom, moved);
  setOffset(header, 32, segmentsAt);
  setOffset(header, 40, elf.sections.length === 0 ? 0 : sectionsAt);

  const segments = await bytesAt(source, segmentsFrom, SEGMENT_BYTES * elf.segments.length);
  for (const [index, { offset, bytes }] of elf.segments.entries()) {
    if (bytes > 0) setOffset(segments, SEGMENT_BYTES * index + 8, placeOf(offset, moved));
  }
  const sections = await bytesAt(source, Number(elf.header.readBigUInt64LE(40)), SECTION_BYTES * elf.sections.length);
  for (const [index, { loaded, offset, type }] of elf.sections.entries()) {
    const at = SECTION_BYTES * index;
    if (index === elf.names) setOffset(sections, at + 24, end);
    else if (!loaded) sections.fill(0, at, at + SECTION_BYTES);
    else if (type !== NOBITS) setOffset(sections, at + 24, placeOf(offset, moved));
  }
  await copy.write(segments, 0, segments.length, segmentsAt);
  await copy.write(sections, 0, sections.length, sectionsAt);
  await copy.write(header, 0, header.length, 0);
}

/** @returns where a byte of the file is in the copy */
function placeOf(offset: number, moved: readonly Moved[]): number {
  const part = moved.findLast((found) => found.offset <= offset && offset <= found.offset + found.bytes);
  if (part === undefined) throw new PackageError(`expected byte ${offset} of a library to be loaded, it is not`);
  return part.to + (offset - part.offset);
}

function setOffset(structure: Buffer, at: number, offset: number): void {
  structure.writeBigUInt64LE(BigInt(offset), at);
}

async function copyBytes(
  source: FileHandle,
  copy: FileHandle,
  { offset, bytes, to }: { offset: number; bytes: number; to: number },
): Promise<void> {
  const piece = Buffer.alloc(Math.min(bytes, PIECE_BYTES));
  for (let done = 0; done < bytes; ) {
    const { bytesRead } = await source.read(piece, 0, Math.min(piece.length, bytes - done), offset + done);
    if (bytesRead === 0) throw new PackageError(`expected ${bytes} bytes at ${offset} of a library, got ${done}`);
    await copy.write(piece, 0, bytesRead, to + done);
    done += bytesRead;
  }
}
