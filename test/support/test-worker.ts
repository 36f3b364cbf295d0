import type { SQSRecord } from 'aws-lambda';
import { Cancellations } from '../../functions/classify/cancellations.ts';
import { createIsolatedClassifier } from '../../functions/classify/isolation.ts';
import { PartWriter } from '../../functions/classify/part-writer.ts';
import { processBatch } from '../../functions/classify/process-batch.ts';
import type { Telemetry } from '../../functions/classify/telemetry.ts';
import { WorkTime } from '../../functions/classify/work-time.ts';
import type { Destinations, WorkerDependencies } from '../../functions/classify/worker-dependencies.ts';
import type { Pipeline } from '../../shared/classifier/classify-images.ts';
import { createPipeline } from '../../shared/classifier/pipeline.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import { NO_GUARD } from './no-guard.ts';

export const RETRY_BASE_SECONDS = 10;

/** The real stages. Patient ones: on a busy machine, many images at once take longer than the product waits. */
export function createTestPipeline(target: JobTarget, allowedHost: string): Promise<Pipeline> {
  const settings = classifierSettingsFrom({ ALLOWED_HOSTS: allowedHost });
  return createPipeline({ ...settings, fetchTimeoutSeconds: 60 }, target.s3);
}

/** Where a worker of the embedded AWS writes to; parts of it can be made wrong. */
export function destinationsOf(target: JobTarget, wrong: Partial<JobTarget> = {}): Destinations {
  const { sqs, s3, queueUrl, deadLetterQueueUrl, resultsBucket } = { ...target, ...wrong };
  return { sqs, queueUrl, deadLetterQueueUrl, parts: new PartWriter(s3, resultsBucket) };
}

/** A worker in this process, without Lambda around it. */
export type TestWorker = {
  /** Processes the records. @returns the ids that must not be acknowledged */
  process(records: SQSRecord[], deadline?: AbortSignal): Promise<string[]>;
  /** How many images each inference had, so far. */
  inferenceBatches: number[];
};

/** The real worker: the real stages behind it, and the middle of every random range. */
export function createTestWorker(pipeline: Pipeline, destinations: Destinations): TestWorker {
  const inferenceBatches: number[] = [];
  const telemetry: Telemetry = {
    stage() {},
    batch: (images) => inferenceBatches.push(images),
    settled() {},
    unsettled() {},
    malformed() {},
    lastDelivery() {},
    invoked() {},
  };
  const dependencies: WorkerDependencies = {
    pipeline,
    isolatedClassifier: createIsolatedClassifier(),
    destinations,
    telemetry,
    retryBaseSeconds: RETRY_BASE_SECONDS,
    cancellations: new Cancellations(async () => false),
    jobGuard: NO_GUARD,
    workTime: new WorkTime(),
    now: () => new Date(),
    random: () => 0.5,
  };
  return {
    process: (records, deadline = new AbortController().signal) =>
      processBatch(records, dependencies, { signal: deadline, msLeft: () => (deadline.aborted ? 0 : 60_000) }),
    inferenceBatches,
  };
}
