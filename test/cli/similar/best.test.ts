import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Best } from '../../../cli/similar/best.ts';
import { seed } from '../../contract/seed.ts';

test('the best scores are those of a full sort, the earlier of equal ones first', () => {
  const scores = fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 60 });
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 12 }), (given, most) => {
      const best = new Best<number>(most);
      given.forEach((score, item) => {
        best.add(score, item);
      });
      const sorted = given.map((score, item) => ({ score, item })).sort((one, other) => other.score - one.score);
      expect(best.items()).toEqual(sorted.slice(0, most));
    }),
    { seed },
  );
});
