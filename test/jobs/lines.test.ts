import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { linesOf } from '../../shared/jobs/lines.ts';
import { seed } from '../contract/seed.ts';
import { cpuMsOf } from '../support/cpu-time.ts';

function lines(chunks: readonly Buffer[]): Promise<string[]> {
  return Array.fromAsync(linesOf(Readable.from(chunks, { objectMode: false })));
}

test('a text is split at its newlines, wherever the stream splits it', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '猫', '\n', '\r', '\u2028', '\u2029', '😀'), maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(100), { maxLength: 8 }), async (whole, cuts) => {
      const bytes = Buffer.from(whole);
      const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((one, other) => one - other);
      const chunks = ends
        .map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
        .filter(({ length }) => length > 0);
      const expected = whole.split('\n');
      if (expected.at(-1) === '') expected.pop();
      expect(await lines(chunks)).toEqual(expected);
    }),
    { seed },
  );
});

test('a line of many megabytes is read as one, in linear time', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  let found: string[] = [];
  const spentMs = await cpuMsOf(async () => {
    found = await lines([...Array(500).fill(chunk), Buffer.from('\nlast')]);
  });
  const [first, ...others] = found;
  expect(first).toHaveLength(500 * chunk.length);
  expect(others).toEqual(['last']);
  expect(spentMs).toBeLessThan(5_000);
});

test('an error of the stream is passed on, after the lines before it', async () => {
  async function* broken() {
    yield Buffer.from('first\nsec');
    throw new Error('the connection broke');
  }
  const reading = linesOf(Readable.from(broken(), { objectMode: false }));
  expect(await reading.next()).toEqual({ done: false, value: 'first' });
  await expect(reading.next()).rejects.toThrow('the connection broke');
});
