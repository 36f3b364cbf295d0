import { spawnSync } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { compileAvx2Only, prepareAvx2Only } from '../../bench/avx2/avx2-only.ts';
import { replaceCpuid } from '../../bench/avx2/cpuid-breakpoints.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const PROBE = join(import.meta.dirname, '../support/cpuid-probe.c');
/** Bits of leaf 7 by the word that they stand in: EAX to EDX of subleaf 0, then of subleaf 1. */
const NEWER_THAN_AVX2: readonly [word: number, bit: number, name: string][] = [
  [1, 16, 'AVX512F'],
  [1, 30, 'AVX512BW'],
  [1, 31, 'AVX512VL'],
  [2, 1, 'AVX512_VBMI'],
  [2, 11, 'AVX512_VNNI'],
  [3, 23, 'AVX512_FP16'],
  [3, 24, 'AMX_TILE'],
  [3, 25, 'AMX_INT8'],
  [4, 4, 'AVX_VNNI'],
  [4, 5, 'AVX512_BF16'],
];
const AVX2_BIT = [1, 5] as const;

const [folder] = await sharedByTests(createTemporaryFolder());
let library: string;
let probe: string;
beforeAll(async () => {
  library = await compileAvx2Only(folder.path);
  probe = join(folder.path, 'probe');
  const compiled = spawnSync('g++', ['-x', 'c', '-O1', '-o', probe, PROBE], { encoding: 'utf8' });
  expect(compiled).toMatchObject({ status: 0 });
}, 60_000);

function run(what: string, environment: Record<string, string> = {}) {
  return spawnSync(probe, [what], { encoding: 'utf8', env: { ...process.env, ...environment } });
}

/** Without the kernel's trap: CPUID is asked with an instruction that faults. */
function underHandler(what: string) {
  return run(what, { LD_PRELOAD: library, AVX2_ONLY_UNTRAPPED: 'yes' });
}

function words({ status, stdout }: ReturnType<typeof run>): number[] {
  expect(status).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((word) => Number.parseInt(word, 16));
}

function isSet(found: readonly number[], word: number, bit: number): boolean {
  return (((found[word] ?? 0) >>> bit) & 1) === 1;
}

describe('a program under AVX2', () => {
  test.each(NEWER_THAN_AVX2)('does not see bit %d.%d, %s', (word, bit) => {
    expect(isSet(words(underHandler('fault')), word, bit)).toBe(false);
  });

  test('sees AVX2, and whatever else the processor has', () => {
    const native = words(run('plain'));
    const found = words(underHandler('fault'));
    expect(isSet(found, ...AVX2_BIT)).toBe(isSet(native, ...AVX2_BIT));
    // Nothing is added, and the registers are those that were asked for.
    found.forEach((word, index) => {
      expect((word & ~(native[index] ?? 0)) >>> 0).toBe(0);
    });
    expect(found[1]).not.toBe(0);
  });

  test('gets its own faults in its own handler', () => {
    expect(underHandler('handled')).toMatchObject({ status: 3, stdout: 'handled\n' });
  });

  test('is killed by its own faults without a handler', () => {
    expect(underHandler('unhandled')).toMatchObject({ status: null, signal: 'SIGSEGV' });
  });
});

describe('a program whose CPUID instructions are replaced', () => {
  const UNTRAPPED = { AVX2_ONLY_UNTRAPPED: 'yes' };
  let replaced: string;
  beforeAll(async () => {
    replaced = join(folder.path, 'replaced');
    await copyFile(probe, replaced);
    // One in the loop of the probe; the two bytes that it writes into a page itself are data.
    expect(await replaceCpuid(replaced)).toBe(1);
  });

  test('sees AVX2 and nothing newer', () => {
    const env = { ...process.env, ...UNTRAPPED, LD_PRELOAD: library };
    const found = words(spawnSync(replaced, ['plain'], { encoding: 'utf8', env }));
    for (const [word, bit] of NEWER_THAN_AVX2) expect(isSet(found, word, bit)).toBe(false);
    expect(isSet(found, ...AVX2_BIT)).toBe(isSet(words(run('plain')), ...AVX2_BIT));
  });

  test('stops at the breakpoint when nothing handles it', () => {
    expect(spawnSync(replaced, ['plain'])).toMatchObject({ status: null, signal: 'SIGTRAP' });
  });

  test('is refused when it has no CPUID instruction', async () => {
    await expect(replaceCpuid(replaced)).rejects.toThrow(/expected CPUID instructions in .*: it has none/);
  });
});

test('CPUID is trapped where the processor can, and replaced in copies of the libraries elsewhere', async () => {
  const asLibrary = join(folder.path, 'probe.so');
  spawnSync('g++', ['-x', 'c', '-shared', '-fPIC', '-o', asLibrary, PROBE]);
  const prepared = await prepareAvx2Only(join(folder.path, 'prepared'), [asLibrary]);
  if ('reason' in prepared) {
    expect(prepared.reason).toBe('expected a processor with AVX2');
  } else if (prepared.how === 'trapped') {
    const found = words(run('plain', prepared.environment));
    for (const [word, bit] of NEWER_THAN_AVX2) expect(isSet(found, word, bit)).toBe(false);
  } else {
    expect(run('plain', { LD_PRELOAD: library }).status).toBe(71);
    const [, copy = ''] = prepared.environment['LD_PRELOAD']?.split(':') ?? [];
    await expect(replaceCpuid(copy)).rejects.toThrow(/it has none/);
    expect(prepared.environment['ONEDNN_MAX_CPU_ISA']).toBe('AVX2');
    expect(await replaceCpuid(asLibrary)).toBe(1);
  }
});

test('without a compiler, the reason is reported', async () => {
  const before = process.env['CXX'];
  process.env['CXX'] = '/nonexistent/g++';
  try {
    expect(await prepareAvx2Only(folder.path, [])).toEqual({ reason: expect.stringMatching(/g\+\+/) });
  } finally {
    if (before === undefined) delete process.env['CXX'];
    else process.env['CXX'] = before;
  }
});
