import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkSavedModel } from '../../shared/classifier/model/check-saved-model.ts';
import { refusedInGraph } from '../../shared/classifier/model/graph-operations.ts';
import { ProtobufError } from '../../shared/classifier/model/protobuf-fields.ts';
import { savedModelGraphs } from '../../shared/classifier/model/saved-model-graph.ts';
import { seed } from '../contract/seed.ts';
import { checkedModels, copying, FLOAT } from './checked-models.ts';
import { attribute, channelMeans, encode, type Field, node, shape } from './tiny-model.ts';

const { withBytes, refusalOf } = await checkedModels();

describe('before TensorFlow reads it, a SavedModel is refused that', () => {
  test('declares constants larger than any model', async () => {
    const billions: Field[] = [
      [1, FLOAT],
      [2, shape(100_000, 100_000)],
      [5, Buffer.from(Float32Array.of(1).buffer)],
    ];
    const graph = [node('huge', 'Const', [], [attribute('dtype', [6, FLOAT]), attribute('value', [8, billions])])];
    expect(await refusalOf({ graph })).toMatch(/expected constants of at most \d+ bytes, it declares 4\d{10}\./);
  });

  test('has assets outside of its folder', async () => {
    expect(await refusalOf({ metaGraph: [[6, [[2, '../../secret.txt']]]] })).toMatch(
      /assets within the folder, got "\.\./,
    );
  });

  test.each([
    ['cut short', channelMeans(2, 'float32').subarray(0, -1)],
    ['a key of more than 32 bits', encode([[2, Buffer.from([0x8a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01])]])],
    ['a group', encode([[2, Buffer.from([0x0b])]])],
    [
      '150 functions within each other',
      encode([[2, [[2, [node('deep', 'PartitionedCall', [], [attribute('f', deep(150))])]]]]]),
    ],
  ])('is damaged: %s', async (_what, bytes) => {
    await expect(checkSavedModel(await withBytes(Buffer.from(bytes)))).rejects.toThrow(
      /expected a SavedModel, it is damaged/,
    );
  });
});

test.each([
  ['600,000 operations', 600_000, 'at most 500000 operations'],
  ['two million fields in one message', 2_000_000, 'at most 1000000 fields in a message'],
])('a SavedModel of %s is refused: they take a hundred times the memory of the file', async (_what, count, why) => {
  const fields = Buffer.alloc(2 * count, Buffer.from([(1 << 3) | 2, 0]));
  await expect(checkSavedModel(await withBytes(encode([[2, [[2, fields]]]])))).rejects.toThrow(why);
});

test('whatever bytes it is given, the check ends with a verdict', async () => {
  const whole = channelMeans(2, 'float32', [-1, 2, 2, 3], copying('/from', '/to'));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        let verdict: unknown;
        try {
          verdict = savedModelGraphs(bytes).flatMap(refusedInGraph);
        } catch (error) {
          verdict = error;
        }
        expect(Array.isArray(verdict) || verdict instanceof ProtobufError).toBe(true);
      },
    ),
    { seed, numRuns: 2_000 },
  );
});

function deep(levels: number): Field {
  let value: Field = [3, 1];
  for (let level = 0; level < levels; level++)
    value = [
      10,
      [
        [1, ''],
        [
          2,
          [
            [1, 'f'],
            [2, [value]],
          ],
        ],
      ],
    ];
  return value;
}
