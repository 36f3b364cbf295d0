import { expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import { type JobStatus, jobStatus } from '../../../shared/jobs/job-status.ts';
import { startTrial } from '../../support/acknowledgement-trial.ts';
import { enqueueImages } from '../../support/enqueue-images.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [trial] = await sharedByTests(startTrial());

async function status(): Promise<Partial<JobStatus>> {
  const { state, classified, failed, toGo = 0 } = (await jobStatus(trial.aws.target, 'job', new Date())) as JobStatus;
  return { state, classified, failed, toGo };
}

test('a job whose first message is delivered twice is completed with its last image, not before', async () => {
  const images = Array.from({ length: 40 }, (_, index) => trial.good(`image-${index}`));
  await enqueueImages(trial.aws.target, images, { job: 'job' });
  const [first, second, third, fourth] = (await trial.receive()) as [SQSRecord, SQSRecord, SQSRecord, SQSRecord];
  // SQS delivers at least once: two workers have the first message at the same time.
  for (const Records of [
    [first, second],
    [first, third],
  ]) {
    expect(await trial.worker.invoke({ Records })).toEqual({ batchItemFailures: [] });
  }
  const lines = await trial.aws.results('job');
  expect(lines).toHaveLength(40);
  expect(await status()).toEqual({ state: 'running', classified: 30, failed: 0, toGo: 10 });
  await trial.worker.invoke({ Records: [fourth] });
  expect(await status()).toEqual({ state: 'completed', classified: 40, failed: 0, toGo: 0 });
});
