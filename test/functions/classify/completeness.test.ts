import { expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import { type JobStatus, jobStatus } from '../../../shared/jobs/job-status.ts';
import { startHarness } from '../../support/acknowledgement-harness.ts';
import { enqueueImages } from '../../support/enqueue-images.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [harness] = await sharedByTests(startHarness());

async function status(): Promise<Partial<JobStatus>> {
  const { state, classified, failed, toGo = 0 } = (await jobStatus(harness.aws.target, 'job', new Date())) as JobStatus;
  return { state, classified, failed, toGo };
}

test('a job whose first message is delivered twice is completed only with its last image', async () => {
  const images = Array.from({ length: 40 }, (_, index) => harness.good(`image-${index}`));
  await enqueueImages(harness.aws.target, images, { job: 'job' });
  const [first, second, third, fourth] = (await harness.receive()) as [SQSRecord, SQSRecord, SQSRecord, SQSRecord];
  // SQS delivers at least once: two workers have the first message at the same time.
  for (const Records of [
    [first, second],
    [first, third],
  ]) {
    expect(await harness.worker.invoke({ Records })).toEqual({ batchItemFailures: [] });
  }
  const lines = await harness.aws.results('job');
  expect(lines).toHaveLength(40);
  expect(await status()).toEqual({ state: 'running', classified: 30, failed: 0, toGo: 10 });
  await harness.worker.invoke({ Records: [fourth] });
  expect(await status()).toEqual({ state: 'completed', classified: 40, failed: 0, toGo: 0 });
});
