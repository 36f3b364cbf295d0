import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { topK } from '../../shared/classifier/model/top-k.ts';
import { seed } from '../contract/seed.ts';

const LABELS = ['cat', 'dog', 'cup', 'rocket'];

describe('the best classes of a row', () => {
  test('come best first, with label, score and class id', () => {
    expect(topK(Float32Array.of(0.25, 0.5, 0, 0.125), LABELS, 2)).toEqual([
      { label: 'dog', score: 0.5, classId: 1 },
      { label: 'cat', score: 0.25, classId: 0 },
    ]);
  });

  test('are those of the row at the given offset', () => {
    const scores = Float32Array.of(9, 9, 9, 9, 0.5, 0.25, 0.125, 0, 9, 9, 9, 9);
    expect(topK(scores.subarray(LABELS.length), LABELS, 1)).toEqual([{ label: 'cat', score: 0.5, classId: 0 }]);
  });

  test('are all classes when there are fewer than requested', () => {
    const best = topK(Float32Array.of(0.1, 0.2, 0.3, 0.4), LABELS, 10);
    expect(best.map(({ classId }) => classId)).toEqual([3, 2, 1, 0]);
  });

  test('have the smaller class id first when scores are equal', () => {
    const best = topK(Float32Array.of(0.5, 0.5, 0.5, 0.5), LABELS, 3);
    expect(best.map(({ classId }) => classId)).toEqual([0, 1, 2]);
  });

  test('are those of a full sort', () => {
    const rows = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 70 }), fc.nat(3), (row, k, before) => {
        const labels = row.map((_, classId) => `class ${classId}`);
        const scores = Float32Array.from([...Array(before * row.length).fill(2), ...row]);
        const sorted = labels
          .map((label, classId) => ({ label, score: scores[before * row.length + classId] ?? Number.NaN, classId }))
          .sort((one, other) => other.score - one.score || one.classId - other.classId);
        expect(topK(scores.subarray(before * row.length), labels, k)).toEqual(sorted.slice(0, k));
      }),
      { seed },
    );
  });
});
