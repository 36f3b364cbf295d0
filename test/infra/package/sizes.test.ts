import { expect, test } from '@jest/globals';
import { PackageError } from '../../../infra/package/package-error.ts';
import { assertFitsLambda, MAX_UNZIPPED_BYTES } from '../../../infra/package/sizes.ts';

function entry(name: string, bytes: number): { name: string; bytes: number; from: string } {
  return { name, bytes, from: name };
}

test("a package of exactly Lambda's limit is accepted", () => {
  expect(MAX_UNZIPPED_BYTES).toBe(262_144_000);
  assertFitsLambda([entry('index.mjs', 144_000), entry('models/a/saved_model.pb', 262_000_000)]);
});

test('a byte more is refused, with the sizes of its parts', () => {
  const entries = [entry('index.mjs', 144_001), entry('models/a/saved_model.pb', 262_000_000)];
  expect(() => assertFitsLambda(entries)).toThrow(PackageError);
  expect(() => assertFitsLambda(entries)).toThrow(/at most 262\.1 MB unzipped.*\n.*\n.*\nmodel +262\.0 MB/);
});
