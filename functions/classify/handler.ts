import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { ApartQueue } from '../../shared/classifier/decode/apart-queue.ts';
import { HostHealth } from '../../shared/classifier/fetch/host-health.ts';
import { createPipeline } from '../../shared/classifier/pipeline.ts';
import { SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { METRIC_NAMESPACE } from '../../shared/contract/metric-names.ts';
import { describeError } from '../../shared/contract/redact.ts';
import { thisMachine } from '../../shared/contract/worker-time.ts';
import { isCancelled } from '../../shared/jobs/job-store.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { deadlineIn } from '../../shared/runtime/deadline.ts';
import { markStart } from '../../shared/runtime/start-marks.ts';
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

markStart('labelqueue:modules-loaded');
const settings = workerSettingsFrom(process.env);
const { serviceName } = settings;
const logger = new Logger({ serviceName });
const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName });
// Source buckets may be in other regions.
const s3 = createS3Client({ requestHandler: SDK_REQUEST_OPTIONS, followRegionRedirects: true });

const pipeline = await createPipeline(settings, s3);
// Everything until here is the start of the process, which Lambda bills.
const startMs = performance.now();
const workTime = new WorkTime({ machine: thisMachine(process.env, process.arch), startMs });

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
export const handler = middy<SQSEvent, SQSBatchResponse>()
  // Explicit, since a variable of Powertools could otherwise turn on logging of whole events.
  .use(injectLambdaContext(logger, { resetKeys: true, logEvent: false }))
  .use(logMetrics(metrics, { captureColdStartMetric: true }))
  .handler(classify);
