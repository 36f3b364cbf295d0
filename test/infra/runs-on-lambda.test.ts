import { expect, test } from '@jest/globals';
import { newerThanLambda } from '../../infra/package/runs-on-lambda.ts';

const line = (name: string) => `  0x0060:   Name: ${name}  Flags: none  Version: 3\n`;

test('a library that needs what Lambda has may go there', () => {
  expect(newerThanLambda(['GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBCXX_3.4.9', 'CXXABI_1.3.13'].map(line).join(''))).toEqual(
    [],
  );
});

test('what is newer than Lambda is named', () => {
  expect(newerThanLambda(['GLIBC_2.38', 'GLIBCXX_3.4.30', 'GLIBC_2.4'].map(line).join(''))).toEqual([
    'GLIBC_2.38',
    'GLIBCXX_3.4.30',
  ]);
});
