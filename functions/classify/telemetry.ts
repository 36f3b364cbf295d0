import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { TimedStage } from '../../shared/classifier/classify-image.ts';
import { METRICS } from '../../shared/contract/metric-names.ts';
import { describeThrown, withoutUrlSecrets } from '../../shared/contract/safe-text.ts';
import type { Settlement } from './settlement.ts';

/** What the worker tells about itself. Never whole events, bodies, or the query of a URL. */
export type Telemetry = {
  stage(stage: TimedStage, milliseconds: number): void;
  batch(images: number, milliseconds: number): void;
  settled(messageId: string, settlement: Settlement): void;
  unsettled(messageId: string, error: unknown): void;
  /** @param expected what no part of the body is in */
  unreadable(messageId: string, expected: string): void;
};

/** Logs as JSON lines, metrics in CloudWatch's embedded metric format, both on standard output. */
export function createTelemetry(logger: Logger, metrics: Metrics): Telemetry {
  const count = (name: string, value: number) => {
    if (value > 0) metrics.addMetric(name, MetricUnit.Count, value);
  };
  return {
    stage(stage, milliseconds) {
      if (stage === 'fetch') metrics.addMetric(METRICS.fetchTime, MetricUnit.Milliseconds, rounded(milliseconds));
      if (stage === 'decode') metrics.addMetric(METRICS.decodeTime, MetricUnit.Milliseconds, rounded(milliseconds));
    },
    batch(images, milliseconds) {
      metrics.addMetric(METRICS.inferenceBatchSize, MetricUnit.Count, images);
      metrics.addMetric(METRICS.inferenceTime, MetricUnit.Milliseconds, rounded(milliseconds));
    },
    settled(messageId, settlement) {
      const { message, results, failures, retries, retryCodes, putOff, decodeLater, cancelled, notReached } =
        settlement;
      const { job, attempt, hops = 0 } = message;
      const retried = imagesIn(retries);
      count(METRICS.imagesClassified, results.length);
      count(METRICS.imagesFailed, failures.length);
      count(METRICS.imagesRetried, retried);
      count(METRICS.imagesNotReached, notReached.length);
      count(METRICS.imagesCancelled, cancelled);
      for (const { line } of failures) {
        const { code, stage, message: reason } = line.error;
        logger.warn('image failed', { messageId, job, id: withoutUrlSecrets(line.id), attempt, code, stage, reason });
      }
      logger.info('message settled', {
        messageId,
        job,
        attempt,
        hops,
        classified: results.length,
        failed: failures.length,
        retried,
        cancelled,
        retryCodes: Object.fromEntries(retryCodes),
        putOff: imagesIn(putOff),
        decodeLater: decodeLater.images.length,
        notReached: notReached.length,
      });
    },
    unsettled(messageId, error) {
      count(METRICS.messagesUnsettled, 1);
      logger.error('message not settled, SQS will deliver it again', { messageId, reason: describeThrown(error) });
    },
    unreadable(messageId, expected) {
      count(METRICS.messagesUnreadable, 1);
      logger.warn('message unreadable, moved to the DLQ', { messageId, reason: expected });
    },
  };
}

function imagesIn(byDelay: Settlement['retries']): number {
  return [...byDelay.values()].reduce((sum, images) => sum + images.length, 0);
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
