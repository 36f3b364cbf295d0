import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { TimedStage } from '../../shared/classifier/classify-image.ts';
import { CODE_DIMENSION, METRICS } from '../../shared/contract/metric-names.ts';
import { describeError, redactUrls } from '../../shared/contract/redact.ts';
import type { ModelId } from '../../shared/contract/result-line.ts';
import { InvocationTally } from './invocation-tally.ts';
import type { OutcomePlan } from './plan-outcomes.ts';

/** An invocation that has ended. */
export type Invocation = {
  messages: number;
  milliseconds: number;
  /** Only for the first invocation of a process: how long the process took to start. */
  startMs?: number;
  model: ModelId;
  processor: string;
};

/** What the worker logs and measures. Never whole events, bodies, or the query of a URL. */
export type Telemetry = {
  stage(stage: TimedStage, milliseconds: number): void;
  batch(images: number, milliseconds: number): void;
  settled(messageId: string, plan: OutcomePlan): void;
  unsettled(messageId: string, error: unknown): void;
  /** @param expected holds no part of the body */
  malformed(messageId: string, expected: string): void;
  /** Reports messages on their last delivery. Written immediately: the work that follows may crash the process. */
  lastDelivery(messages: number): void;
  /** Writes the totals since the last call: one log line, and the metrics. */
  invoked(invocation: Invocation): void;
};

/** Logs JSON lines, and metrics in CloudWatch's embedded metric format, both to standard output. */
export function createTelemetry(logger: Logger, metrics: Metrics): Telemetry {
  let tally = new InvocationTally();
  return {
    stage: (stage, milliseconds) => tally.stage(stage, milliseconds),
    batch: (images, milliseconds) => tally.batch(images, milliseconds),
    settled(messageId, plan) {
      tally.settled(plan);
      const { message, results, failures, retryCodes } = plan;
      const { job, attempt, hops = 0 } = message;
      for (const { line } of failures) {
        const { code, stage, message: reason } = line.error;
        logger.warn('image failed', { messageId, job, id: redactUrls(line.id), attempt, code, stage, reason });
      }
      const counts = { classified: results.length, failed: failures.length };
      const retried = Object.fromEntries(retryCodes);
      logger.debug('message settled', { messageId, job, attempt, hops, ...counts, retryCodes: retried });
    },
    unsettled(messageId, error) {
      tally.counts.unsettled++;
      logger.error('message not settled, SQS will deliver it again', { messageId, reason: describeError(error) });
    },
    malformed(messageId, expected) {
      tally.counts.unreadable++;
      logger.warn('message unreadable, moved to the DLQ', { messageId, reason: expected });
    },
    lastDelivery(messages) {
      metrics.singleMetric().addMetric(METRICS.messagesOnLastDelivery, MetricUnit.Count, messages);
    },
    invoked({ milliseconds, startMs, ...invocation }) {
      const start = startMs === undefined ? {} : { startMs: Math.round(startMs) };
      logger.info('invocation', { ...invocation, ms: Math.round(milliseconds), ...start, ...tally.line() });
      addMetrics(metrics, tally);
      addFailureCodes(metrics, tally);
      tally = new InvocationTally();
    },
  };
}

function addMetrics(metrics: Metrics, { counts, fetch, decode, inference, batchSize }: InvocationTally): void {
  // Zeros too: the failure rate needs both, and CloudWatch math returns nothing for a metric without data.
  metrics.addMetric(METRICS.imagesClassified, MetricUnit.Count, counts.classified);
  metrics.addMetric(METRICS.imagesFailed, MetricUnit.Count, counts.failed);
  const numbers = [
    [METRICS.imagesRetried, counts.retried],
    [METRICS.imagesNotReached, counts.notReached],
    [METRICS.imagesCancelled, counts.cancelled],
    [METRICS.messagesUnsettled, counts.unsettled],
    [METRICS.messagesUnreadable, counts.unreadable],
  ] as const;
  for (const [name, number] of numbers) if (number > 0) metrics.addMetric(name, MetricUnit.Count, number);
  const times = [
    [METRICS.fetchTime, fetch],
    [METRICS.decodeTime, decode],
    [METRICS.inferenceTime, inference],
  ] as const;
  for (const [name, { values }] of times) {
    for (const value of values) metrics.addMetric(name, MetricUnit.Milliseconds, value);
  }
  for (const size of batchSize.values) metrics.addMetric(METRICS.inferenceBatchSize, MetricUnit.Count, size);
}

/** A set of metrics has one value per dimension, so each code needs its own set. */
function addFailureCodes(metrics: Metrics, { failureCodes }: InvocationTally): void {
  for (const [code, images] of failureCodes) {
    const ofCode = metrics.singleMetric().addDimension(CODE_DIMENSION, code);
    ofCode.addMetric(METRICS.imagesFailed, MetricUnit.Count, images);
  }
}
