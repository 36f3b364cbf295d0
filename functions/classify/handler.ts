import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { ApartQueue } from '../../shared/classifier/decode/apart-queue.ts';
import { HostHealth } from '../../shared/classifier/fetch/host-health.ts';
import { SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { METRIC_NAMESPACE } from '../../shared/contract/metric-names.ts';
import { describeError } from '../../shared/contract/redact.ts';
import { thisMachine } from '../../shared/contract/worker-time.ts';
import { isCancelled } from '../../shared/jobs/job-store.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { startClassifyingFunction } from '../../shared/lambda/classifying-function.ts';
import { loggedHandler } from '../../shared/lambda/logged-handler.ts';
import { deadlineIn } from '../../shared/runtime/deadline.ts';
import { workerSettingsFrom } from '../../shared/settings.ts';
import { Cancellations } from './cancellations.ts';
import { EndLooks } from './end-looks.ts';
import { createIsolatedClassifier } from './isolation.ts';
import { JobGuard } from './job-guard.ts';
import { PartWriter } from './part-writer.ts';
import { processBatch } from './process-batch.ts';
import { startFacts } from './start-facts.ts';
import { createTelemetry } from './telemetry.ts';
import { WorkTime } from './work-time.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

const settings = workerSettingsFrom(process.env);
const { logger, s3, pipeline } = await startClassifyingFunction(settings);
// Everything until here is the start of the process, which Lambda bills.
const startMs = performance.now();
const workTime = new WorkTime({ machine: thisMachine(process.env, process.arch), startMs });
const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: settings.serviceName });

const sqs = createSqsClient({ requestHandler: SDK_REQUEST_OPTIONS });
const { jobEndQueueUrl } = settings;
const endLooks =
  jobEndQueueUrl === undefined
    ? undefined
    : new EndLooks({
        sqs,
        jobEndQueueUrl,
        onRefused: (error) =>
          logger.error('ends of jobs are not announced: their queue refuses this worker', {
            reason: describeError(error),
          }),
      });

const dependencies: WorkerDependencies = {
  pipeline: {
    ...pipeline,
    hosts: new HostHealth(settings.fetchTimeoutSeconds * 1_000),
    apart: new ApartQueue(),
  },
  isolatedClassifier: createIsolatedClassifier(),
  destinations: {
    sqs,
    queueUrl: settings.queueUrl,
    deadLetterQueueUrl: settings.deadLetterQueueUrl,
    parts: new PartWriter(s3, settings.resultsBucket, { time: workTime, endLooks }),
    endLooks,
  },
  telemetry: createTelemetry(logger, metrics),
  cancellations: new Cancellations((of) => isCancelled({ s3, resultsBucket: settings.resultsBucket }, of)),
  jobGuard: new JobGuard({ bucket: { s3, resultsBucket: settings.resultsBucket, sqs, jobEndQueueUrl } }),
  workTime,
  retryBaseSeconds: settings.retryBaseSeconds,
  now: () => new Date(),
  random: Math.random,
};

const { classifier } = dependencies.pipeline;
const facts = await startFacts(classifier);
logger.info('worker started', facts);
for (const note of classifier.notes) logger.warn('model', { note });

let isFirst = true;

async function classify(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const started = performance.now();
  const deadline = deadlineIn(context.getRemainingTimeInMillis());
  // A property, not a dimension: a dimension would create, and bill, a metric per metric and value.
  metrics.addMetadata('arithmetic', classifier.arithmetic);
  try {
    const failed = await processBatch(event.Records, dependencies, deadline);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  } finally {
    dependencies.telemetry.invoked({
      messages: event.Records.length,
      milliseconds: performance.now() - started,
      ...(isFirst && { startMs }),
      model: classifier.id,
      processor: facts.processor.name,
    });
    isFirst = false;
  }
}

/** The worker: takes SQS records, returns the messages that SQS must redeliver. */
export const handler = loggedHandler<SQSEvent, SQSBatchResponse>(logger)
  .use(logMetrics(metrics, { captureColdStartMetric: true }))
  .handler(classify);
