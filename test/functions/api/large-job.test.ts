import { expect, test } from '@jest/globals';
import { jobStatus } from '../../../functions/api/routes/jobs.ts';
import { jobStatusSchema } from '../../../functions/api/schemas.ts';
import { API_TIMEOUT_SECONDS } from '../../../shared/contract/limits.ts';
import { startLargeJobs } from '../../../testkit/large-jobs.ts';

test('a job that cannot be listed in time has counts that are estimates, and say so', async () => {
  const counts = { results: 10_000_000, failures: 0, linesPerPart: 10, remaining: 0, isDescribed: true };
  await using server = await startLargeJobs({ jobs: [{ job: 'large', ...counts }], latencyMs: 1_000 });
  const request = { query: {}, path: { job: 'large' }, mediaType: '', body: Buffer.alloc(0) };
  // Sixteen at once, 10,000 pages take ten minutes: the answer has to come before.
  const signal = AbortSignal.timeout(API_TIMEOUT_SECONDS * 1_000);
  const answer = await jobStatus.handle({ ...request, signal, time: () => {} }, { target: server.target } as Parameters<
    typeof jobStatus.handle
  >[1]);
  expect(signal.aborted).toBe(false);
  if (!('body' in answer)) throw new Error('expected an answer');
  const status = jobStatusSchema.parse(answer.body);
  expect(status).toMatchObject({ state: 'running', countsAreEstimates: true, enqueued: 100_000_000 });
  expect(Math.abs(status.classified / 100_000_000 - 1)).toBeLessThan(0.1);
  expect((await server.counts()).calls['LIST']).toBeLessThan(1_000);
}, 60_000);
