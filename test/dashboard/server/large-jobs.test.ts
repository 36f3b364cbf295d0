import { expect, test } from '@jest/globals';
import { JobFiles } from '../../../dashboard/server/job-files.ts';
import { jobStatus } from '../../../shared/jobs/job-status.ts';
import { PartTally } from '../../../shared/jobs/part-tally.ts';
import type { LargeJob } from '../../../testkit/large-job.ts';
import { startLargeJobs } from '../../../testkit/large-jobs.ts';
import { startTestDashboard } from '../../support/test-dashboard.ts';

const JOB: LargeJob = {
  job: 'large',
  run: '00000000000000aa',
  results: 10_000,
  failures: 200,
  linesPerPart: 100,
  remaining: 5_000,
  isDescribed: true,
};

test('a job of 10,000 files is shown after one listing, with the figures of `status`, and then read in parts', async () => {
  await using large = await startLargeJobs({ jobs: [JOB] });
  const files = new JobFiles(large.target, JOB);
  const listings = async () => (await large.counts()).calls['LIST'] ?? 0;
  await files.look();
  const first = await listings();
  // Eleven pages, and three that were thrown away before it was known that they are many.
  expect(first).toBeLessThanOrEqual(3 + 16 + 1);
  const tally = await PartTally.of(large.target, JOB);
  const [known, listed] = [files.tally, tally].map(({ lines, version, time }) => ({ lines, version, usd: time.usd }));
  expect(known).toEqual(listed);
  expect(files.size).toBe(10_200);
  const before = await listings();
  const looks = 8;
  for (let look = 0; look < looks; look++) await files.look();
  // A part of the results, and the few failures whole.
  expect((await listings()) - before).toBeLessThanOrEqual(looks * (4 + 1));
  expect(files.version).toBe(1);
});

test('a job of millions of files is shown with the estimate of `status`, and nothing is kept in memory', async () => {
  const huge = { ...JOB, results: 3_000_000, failures: 1_000 };
  await using large = await startLargeJobs({ jobs: [huge] });
  const files = new JobFiles(large.target, huge);
  expect(await files.look()).toBe(false);
  // Of the results, enough to see how many they are; of the failures, all.
  expect((await large.counts()).calls['LIST']).toBeLessThanOrEqual(3 + 2);
  await using dashboard = await startTestDashboard(large.target);
  await using page = await dashboard.open('range=7d');
  const { jobs } = await page.next('snapshot', (snapshot) => snapshot.jobs.length === 1);
  const [{ countsAreEstimates = false, classifiedImages = 0 } = {}] = jobs;
  const all = huge.results * huge.linesPerPart;
  expect(Math.abs(classifiedImages - all) / all).toBeLessThan(0.3);
  if (!countsAreEstimates) expect(classifiedImages).toBe(all);
});

test('its figures are shown as soon as they are listed, and equal those of `status`', async () => {
  await using large = await startLargeJobs({ jobs: [JOB] });
  await using dashboard = await startTestDashboard(large.target);
  await using page = await dashboard.open('range=7d');
  const { jobs } = await page.next('snapshot', (snapshot) => snapshot.jobs.length === 1);
  const status = await jobStatus(large.target, JOB.job, new Date());
  expect(jobs[0]).toMatchObject({
    classifiedImages: status?.classified,
    failedImages: status?.failed,
    remainingImages: status?.remaining,
    state: status?.state,
    costSoFarUsd: status?.costSoFarUsd,
  });
});

test('while many jobs are listed for the first time, the history is sent at the beginning and at the end', async () => {
  const jobs = Array.from({ length: 120 }, (_, index) => ({ ...JOB, job: `job-${index}`, results: 2, failures: 0 }));
  await using large = await startLargeJobs({ jobs, latencyMs: 100 });
  await using dashboard = await startTestDashboard(large.target);
  await using page = await dashboard.open('range=7d');
  await page.next('snapshot', ({ connections }) => connections.s3.state === 'connected');
  await page.next('history');
  const sent = (name: string) => page.text().split(`event: ${name}\n`).length - 1;
  expect(sent('snapshot')).toBeGreaterThan(4);
  expect(sent('history')).toBeLessThanOrEqual(2);
});
