import { execFile } from 'node:child_process';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Elf, readElf, versionsNeeded } from '../../../infra/package/elf/read-elf.ts';
import { copyWithoutSymbols } from '../../../infra/package/elf/without-symbols.ts';
import { PackageError } from '../../../infra/package/package-error.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';

const run = promisify(execFile);

/** A library with code, constants, initialized and empty variables, thread-local ones, and calls into the C library. */
const SOURCE = `
#include <stdio.h>
#include <stdlib.h>
static __thread int calls = 40;
static char text[64] = "sum";
static long empty[4096];
int twice(int value) { empty[7] += value; calls += 1; return (int)empty[7] * 2 + calls; }
const char *described(int value) { snprintf(text + 3, 60, "=%d", twice(value)); return getenv("NOWHERE") ? "" : text; }
`;
/** Loads the library in a process of its own: what is wrong with it ends that process. */
const CALL = `
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.described.restype = ctypes.c_char_p
print(library.described(100).decode(), library.described(1).decode())
`;

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

describeOnLinux('a library of this machine', () => {
  let folder: TemporaryFolder;
  let library: string;

  beforeAll(async () => {
    folder = await createTemporaryFolder();
    const source = await folder.write('library.c', SOURCE);
    library = join(folder.path, 'library.so');
    await run('g++', ['-x', 'c', '-g', '-O1', '-shared', '-fPIC', '-o', library, source]);
  });

  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  async function copied(from: string): Promise<string> {
    const to = `${from}.copy`;
    await copyWithoutSymbols(from, to);
    return to;
  }

  test('works as before, is smaller, and keeps what loaders read, without symbols and debug sections', async () => {
    const copy = await copied(library);
    expect(await called(copy)).toBe('sum=241 sum=244');
    expect(await called(library)).toBe('sum=241 sum=244');
    expect((await stat(copy)).size).toBeLessThan((await stat(library)).size);
    const { stdout } = await run('readelf', ['--sections', '--wide', copy]);
    expect(stdout).toMatch(/ \.dynsym .* \.text .* \.data /s);
    expect(stdout).not.toMatch(/\.symtab|\.strtab|\.debug|\.comment/);
    await run('readelf', ['--all', '--wide', copy]);
  });

  test('requires the same versions of the C library before and after, as readelf shows', async () => {
    const { stdout } = await run('readelf', ['--version-info', '--wide', library]);
    const expected = [...stdout.matchAll(/Name: (\S+) {2}Flags/g)].map(([, name]) => name);
    expect(expected.length).toBeGreaterThan(0);
    for (const path of [library, await copied(library)]) expect(await needsOf(path)).toEqual(expected);
  });

  test('works when loaded segments are behind its debug sections, as in wheels', async () => {
    const late = join(folder.path, 'late.so');
    await writeFile(late, withLastSegmentAtTheEnd(await readFile(library), await elfOf(library)));
    expect(await called(late)).toBe('sum=241 sum=244');
    const copy = await copied(late);
    expect(await called(copy)).toBe('sum=241 sum=244');
    expect((await stat(copy)).size).toBe((await stat(await copied(library))).size);
  });

  test('a file that is not a library, or that is truncated, is refused', async () => {
    const script = await folder.write('script.so', '#!/bin/sh\n');
    await expect(copied(script)).rejects.toThrow(PackageError);
    const cut = await folder.write('cut.so', (await readFile(library)).subarray(0, 5_000));
    await expect(copied(cut)).rejects.toThrow(PackageError);
  });

  async function called(path: string): Promise<string> {
    const { stdout } = await run('python3', ['-c', CALL, path], { env: { PATH: process.env['PATH'] } });
    return stdout.trim();
  }
});

async function elfOf(path: string): Promise<Elf> {
  await using file = await open(path);
  const elf = await readElf(file);
  if (elf === undefined) throw new Error(`expected a library, got ${path}`);
  return elf;
}

async function needsOf(path: string): Promise<string[]> {
  await using file = await open(path);
  return versionsNeeded(file, await elfOf(path));
}

/** Moves the bytes of the segment with the variables behind all others of the file. */
function withLastSegmentAtTheEnd(bytes: Buffer, { segments, sections }: Elf): Buffer {
  const loaded = segments.filter(({ type }) => type === 1);
  const last = loaded.at(-1);
  if (last === undefined) throw new Error('expected a segment that is loaded, there is none');
  const shift = Math.ceil((bytes.length - last.offset) / last.alignment) * last.alignment;
  const moved = Buffer.concat([bytes, Buffer.alloc(last.offset + shift + last.bytes - bytes.length)]);
  bytes.copy(moved, last.offset + shift, last.offset, last.offset + last.bytes);
  const isMoved = (offset: number) => last.offset <= offset && offset < last.offset + last.bytes;
  const tables = [
    { at: Number(bytes.readBigUInt64LE(32)) + 8, each: 56, entries: segments },
    { at: Number(bytes.readBigUInt64LE(40)) + 24, each: 64, entries: sections.map((found) => ({ ...found })) },
  ];
  for (const { at, each, entries } of tables) {
    for (const [index, { offset }] of entries.entries()) {
      if (isMoved(offset)) moved.writeBigUInt64LE(BigInt(offset + shift), at + each * index);
    }
  }
  return moved;
}
