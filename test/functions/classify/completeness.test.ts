import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import type { ImageRef } from '../../../shared/contract/message.ts';
import { enqueue, newJob } from '../../../shared/jobs/enqueue.ts';
import { type JobStatus, jobStatus } from '../../../shared/jobs/job-status.ts';
import { startTrial, type Trial } from '../../support/acknowledgement-trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await startTrial();
});
afterAll(() => trial.stop());

async function status(): Promise<Partial<JobStatus>> {
  const {
    state,
    classified,
    failed,
    remaining = 0,
  } = (await jobStatus(trial.aws.target, 'job', new Date())) as JobStatus;
  return { state, classified, failed, remaining };
}

async function* each(images: ImageRef[]): AsyncGenerator<ImageRef> {
  yield* images;
}

test('a job whose first message is delivered twice is completed with its last image, not before', async () => {
  const images = Array.from({ length: 40 }, (_, index) => trial.good(`image-${index}`));
  const plan = newJob({ job: 'job', source: '-', sourceDigest: '', perMessage: 10, images: images.length });
  await enqueue(trial.aws.target, each(images), plan);
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
  expect(await status()).toEqual({ state: 'running', classified: 30, failed: 0, remaining: 10 });
  await trial.worker.invoke({ Records: [fourth] });
  expect(await status()).toEqual({ state: 'completed', classified: 40, failed: 0, remaining: 0 });
});
