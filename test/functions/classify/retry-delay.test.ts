import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { retryDelaySeconds } from '../../../functions/classify/plan-outcomes.ts';
import { MAX_ATTEMPTS, MAX_DELAY_SECONDS } from '../../../shared/contract/limits.ts';

const failedAttempt = fc.integer({ min: 1, max: MAX_ATTEMPTS });
const base = fc.double({ min: 0, max: MAX_DELAY_SECONDS, noNaN: true });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const retryAfter = fc.option(fc.nat({ max: 100_000 }), { nil: undefined });

test('doubles from attempt to attempt', () => {
  const delays = [1, 2, 3, 4].map((attempt) => retryDelaySeconds(attempt, 10, undefined, 0));
  expect(delays).toEqual([5, 10, 20, 40]);
});

test.each([
  [0, 20],
  [0.5, 30],
  [0.999, 40],
])('spreads attempt 3 over the upper half of its 40 s: random %d gives %d s', (random, expected) => {
  expect(retryDelaySeconds(3, 10, undefined, random)).toBe(expected);
});

test('is between half and all of the exponential delay, rounded up', () => {
  fc.assert(
    fc.property(failedAttempt, fc.double({ min: 0, max: 56, noNaN: true }), random, (attempt, base, random) => {
      const full = base * 2 ** (attempt - 1);
      const delay = retryDelaySeconds(attempt, base, undefined, random);
      expect(delay).toBeGreaterThanOrEqual(Math.ceil(full / 2));
      expect(delay).toBeLessThanOrEqual(Math.ceil(full));
    }),
  );
});

test("is never shorter than the server's Retry-After", () => {
  fc.assert(
    fc.property(failedAttempt, base, retryAfter, random, (attempt, base, retryAfter, random) => {
      const delay = retryDelaySeconds(attempt, base, retryAfter, random);
      expect(delay).toBeGreaterThanOrEqual(Math.min(MAX_DELAY_SECONDS, retryAfter ?? 0));
    }),
  );
});

test("is not shortened by the server's Retry-After", () => {
  expect(retryDelaySeconds(3, 10, 1, 0)).toBe(20);
});

test('is a delay that SQS accepts: whole seconds from 0 to 900', () => {
  fc.assert(
    fc.property(failedAttempt, base, retryAfter, random, (attempt, base, retryAfter, random) => {
      const delay = retryDelaySeconds(attempt, base, retryAfter, random);
      expect(Number.isInteger(delay)).toBe(true);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(MAX_DELAY_SECONDS);
    }),
  );
});

test('is at most what SQS can delay, whatever the server asks for', () => {
  expect(retryDelaySeconds(1, 10, 86_400, 0.5)).toBe(900);
});
