import { cpus } from 'node:os';
import { expect, test } from '@jest/globals';
import { describeProcessor } from '../../shared/classifier/model/processor.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';

test.each([
  [
    'x86',
    'processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\nbugs\t\t: avx_vnni\n',
    ['avx2', 'avx512_vnni', 'avx512f'],
  ],
  ['Arm', 'processor\t: 0\nFeatures\t: fp asimd asimddp\n', ['asimd', 'asimddp']],
  ['one that says nothing', 'processor\t: 0\n', []],
])('the flags that matter are those of %s', async (_case, text, flags) => {
  await using folder = await createTemporaryFolder();
  const processor = await describeProcessor(await folder.write('cpuinfo', text));
  expect(processor).toEqual({ name: cpus()[0]?.model, flags });
});

test('a system without a list of processors has no flags', async () => {
  expect(await describeProcessor('/nowhere/cpuinfo')).toMatchObject({ flags: [] });
});
