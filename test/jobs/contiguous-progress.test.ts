import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ContiguousProgress } from '../../shared/jobs/contiguous-progress.ts';
import { seed } from '../contract/seed.ts';

const request = fc
  .array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 10 })
  .map((sizes) => sizes.map((images) => ({ body: '', images })));
/** Requests, and the order in which they succeed. */
const finished = fc
  .array(request, { maxLength: 20 })
  .chain((requests) =>
    fc.tuple(
      fc.constant(requests),
      fc.shuffledSubarray([...requests.keys()], { minLength: requests.length, maxLength: requests.length }),
    ),
  );

test('counts a request once it and all before it have succeeded, in whatever order they do', () => {
  fc.assert(
    fc.property(finished, fc.nat(1_000), fc.nat(1_000), ([requests, order], images, messages) => {
      const progress = new ContiguousProgress(images, messages);
      const done = new Set<number>();
      for (const index of order) {
        progress.sent(index, requests[index] ?? []);
        done.add(index);
        const firstMissing = requests.findIndex((_, other) => !done.has(other));
        const certain = requests.slice(0, firstMissing === -1 ? undefined : firstMissing).flat();
        expect(progress.messages).toBe(messages + certain.length);
        expect(progress.images).toBe(certain.reduce((sum, message) => sum + message.images, images));
      }
    }),
    { seed },
  );
});
