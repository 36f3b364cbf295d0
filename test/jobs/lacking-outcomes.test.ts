import { afterEach, describe, expect, test } from '@jest/globals';
import { lacksOutcomes } from '../../shared/jobs/lacking-outcomes.ts';
import { type LargeJobs, startLargeJobs } from '../../testkit/large-jobs.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { anyRun, idsOf, writeFailures, writeResults } from '../support/ended-run.ts';

const LINES_PER_PART = 100;
const RUN = { job: 'large', run: '0'.repeat(16) };

let jobs: LargeJobs | undefined;
afterEach(async () => {
  await jobs?.[Symbol.asyncDispose]();
  jobs = undefined;
});

/** A run with so many result files, beside images that are remaining. */
async function lacks(results: number, remaining: number): Promise<{ lacking: boolean; listings: number }> {
  const job = { ...RUN, results, failures: 10, linesPerPart: LINES_PER_PART, remaining, isDescribed: true };
  jobs = await startLargeJobs({ jobs: [job], latencyMs: 0 });
  const images = (results + job.failures) * LINES_PER_PART + remaining;
  const lacking = await lacksOutcomes(jobs.target, RUN, images);
  return { lacking, listings: (await jobs.counts()).calls['LIST'] ?? 0 };
}

describe('a run lacks outcomes', () => {
  test.each([2_000, 1_000_000])('for certain after two listings, half-way through %d part files', async (parts) => {
    expect(await lacks(parts, parts * LINES_PER_PART)).toEqual({ lacking: true, listings: 2 });
  });

  test('for certain after more listings, the nearer its end is', async () => {
    const { lacking, listings } = await lacks(100_000, 100_000 * LINES_PER_PART * 0.1);
    expect(lacking).toBe(true);
    expect(listings).toBeGreaterThan(2);
    expect(listings).toBeLessThanOrEqual(11);
  });

  test.each([1, 0])('or may be complete when %d images of many are remaining: a count is due', async (remaining) => {
    expect(await lacks(100_000, remaining)).toEqual({ lacking: false, listings: 11 });
  });
});

test('a small run is counted exactly, files with lines of the same images once', async () => {
  await using aws = await startTestAws();
  const of = anyRun();
  await writeResults(aws.target, of, idsOf(3));
  await writeResults(aws.target, of, idsOf(3));
  await writeFailures(aws.target, of, ['broken']);
  expect(await lacksOutcomes(aws.target, of, 5)).toBe(true);
  expect(await lacksOutcomes(aws.target, of, 4)).toBe(false);
  expect(await lacksOutcomes(aws.target, anyRun(), 1)).toBe(true);
  expect(await lacksOutcomes(aws.target, anyRun(), 0)).toBe(false);
});
