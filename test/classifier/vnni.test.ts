import { expect, test } from '@jest/globals';
import { hasVnni } from '../../shared/classifier/vnni.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';

/** Lines as Linux writes them. */
const LISTS: [string, string, boolean][] = [
  ['an x86 processor with VNNI', 'processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni avx512_bitalg\n', true],
  ['one with VNNI as the last flag', 'flags\t\t: fpu avx512_vnni\n', true],
  ['AVX2 with VNNI of 256 bits alone, which TensorFlow does not use', 'flags\t\t: fpu avx2 avx_vnni\n', false],
  ['one without', 'flags\t\t: fpu avx2 avx512f\n', false],
  ['a name that holds the flag', 'model name\t: avx512_vnni\nflags\t\t: fpu\n', false],
  ['Arm', 'processor\t: 0\nFeatures\t: fp asimd asimddp\n', false],
];

test.each(LISTS)('%s', async (_case, text, expected) => {
  await using folder = await createTemporaryFolder();
  expect(await hasVnni(await folder.write('cpuinfo', text))).toBe(expected);
});

test.each(['ONEDNN_MAX_CPU_ISA', 'DNNL_MAX_CPU_ISA'])('%s may take it away', async (name) => {
  await using folder = await createTemporaryFolder();
  const cpuinfo = await folder.write('cpuinfo', 'flags\t\t: avx512_vnni\n');
  process.env[name] = 'AVX2';
  try {
    expect(await hasVnni(cpuinfo)).toBe(false);
  } finally {
    delete process.env[name];
  }
  expect(await hasVnni(cpuinfo)).toBe(true);
});

test('a system without such a list has none', async () => {
  expect(await hasVnni('/nowhere/cpuinfo')).toBe(false);
});
