import { expect, test } from '@jest/globals';
import { FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { Pace } from '../../shared/jobs/pace.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

function at(seconds: number): Date {
  return new Date(START + seconds * 1_000);
}

function paceOf(seconds: readonly number[], lines = 10): Pace {
  const pace = new Pace();
  for (const second of seconds) pace.add({ lines, writtenAt: at(second) });
  return pace;
}

test('the pace is that of the last minute in which images were settled, in any order of files', () => {
  const seconds = Array.from({ length: 3_600 }, (_, index) => (index * 1_237) % 3_600);
  expect(paceOf(seconds).imagesPerSecond(at(3_600))).toBeCloseTo((60 * 10) / 59);
});

test('a job that has not moved for longer than an invocation, or has no files, has no pace', () => {
  const last = 1;
  expect(paceOf([0, last]).imagesPerSecond(at(last + FUNCTION_TIMEOUT_SECONDS))).toBe(20);
  expect(paceOf([0, last]).imagesPerSecond(at(last + FUNCTION_TIMEOUT_SECONDS + 1))).toBe(0);
  expect(paceOf([]).imagesPerSecond(at(0))).toBe(0);
});

test('files of one second are not divided by zero', () => {
  expect(paceOf([5, 5, 5]).imagesPerSecond(at(6))).toBe(30);
});
