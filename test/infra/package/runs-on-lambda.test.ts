import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { assertRunsOnLambda, newerThanLambda } from '../../../infra/package/runs-on-lambda.ts';

const NODE = process.execPath;
const HERE = process.arch === 'arm64' ? 'arm64' : 'x86_64';

test('a library that Lambda can load is accepted', () => {
  const needs = ['GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBCXX_3.4.9', 'CXXABI_1.3.13', 'VIPS_99', 'GCC_12.0.0'];
  expect(newerThanLambda(needs)).toEqual([]);
});

test('a library that needs a newer system than Lambda is named', () => {
  const needs = ['GLIBC_2.38', 'GLIBCXX_3.4.30', 'GLIBC_2.4', 'GLIBC_2.38', 'GLIBC_ABI_DT_RELR', 'GLIBC_PRIVATE'];
  expect(newerThanLambda(needs)).toEqual(['GLIBC_2.38', 'GLIBCXX_3.4.30', 'GLIBC_ABI_DT_RELR', 'GLIBC_PRIVATE']);
});

test('native code of the other architecture is refused', async () => {
  await expect(assertRunsOnLambda(NODE, HERE)).resolves.toBeUndefined();
  const other = HERE === 'arm64' ? 'x86_64' : 'arm64';
  await expect(assertRunsOnLambda(NODE, other)).rejects.toThrow(
    `node would not load on Lambda: expected native code for ${other}, got ${HERE}`,
  );
});

test('a file that is not native code is refused', async () => {
  const script = join(import.meta.dirname, 'runs-on-lambda.test.ts');
  await expect(assertRunsOnLambda(script, HERE)).rejects.toThrow(
    `expected native code for ${HERE}, got another format`,
  );
});
