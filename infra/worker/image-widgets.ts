import { Duration } from 'aws-cdk-lib';
import { type IMetric, type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS } from '../../shared/contract/metric-names.ts';
import { computed, graph, heading, most } from '../monitoring/graph.ts';
import type { Queues } from '../queue/job-queues.ts';
import type { WorkerMetrics } from './metrics.ts';

const FIVE_MINUTES = Duration.minutes(5);

/** What becomes of images and messages, and how long each stage of an image takes. */
export function imageWidgets(metrics: WorkerMetrics, { deadLetterQueue }: Queues): IWidget[][] {
  return [
    [
      heading(
        'Images',
        'What became of them, as the workers count it. Failed images are in the dead-letter queue too.',
      ),
    ],
    [
      graph('Images per minute', {
        left: {
          label: 'images per minute',
          metrics: [
            metrics.count(METRICS.imagesClassified, 'classified'),
            metrics.count(METRICS.imagesFailed, 'failed'),
            metrics.count(METRICS.imagesRetried, 'retried'),
            metrics.count(METRICS.imagesNotReached, 'not reached in time'),
            metrics.count(METRICS.imagesCancelled, 'cancelled'),
          ],
        },
      }),
      graph('Failed images per minute, by code', {
        left: { label: 'images per minute', metrics: [metrics.failedByCode()] },
        stacked: true,
      }),
      graph('Messages that need a look', {
        left: {
          label: 'messages per minute',
          metrics: [
            metrics.count(METRICS.messagesUnreadable, 'malformed'),
            metrics.count(METRICS.messagesUnsettled, 'not settled'),
            metrics.count(METRICS.messagesOnLastDelivery, 'on their last delivery'),
          ],
        },
        right: {
          label: 'dead letters',
          metrics: [deadLetterQueue.metricApproximateNumberOfMessagesVisible(most('dead letters'))],
        },
      }),
    ],
    stageWidgets(metrics),
  ];
}

function stageWidgets(metrics: WorkerMetrics): IWidget[] {
  const percentiles = (name: 'fetchTime' | 'decodeTime' | 'inferenceTime') =>
    ['p50', 'p95'].map((statistic) => metrics.distribution(METRICS[name], statistic, statistic));
  return [
    graph('Fetch: ms per image', { left: { label: 'ms', metrics: percentiles('fetchTime') } }),
    graph('Decode: ms per image', { left: { label: 'ms', metrics: percentiles('decodeTime') } }),
    graph('Inference: ms per batch', {
      left: { label: 'ms', metrics: percentiles('inferenceTime') },
      right: {
        label: 'images per batch',
        metrics: [metrics.distribution(METRICS.inferenceBatchSize, Stats.AVERAGE, 'images per batch')],
      },
    }),
  ];
}

/** The worker writes both counts together, zeros too: where one is missing, so is the other. */
export function imagesPerMinute(metrics: WorkerMetrics): IMetric {
  return computed('images per minute', 'done + failed', {
    done: metrics.count(METRICS.imagesClassified, 'classified'),
    failed: metrics.count(METRICS.imagesFailed, 'failed'),
  });
}

export function percentFailed(metrics: WorkerMetrics): IMetric {
  return computed(
    '% failed',
    'IF(done + failed > 0, 100 * failed / (done + failed))',
    {
      done: metrics.count(METRICS.imagesClassified, 'classified', FIVE_MINUTES),
      failed: metrics.count(METRICS.imagesFailed, 'failed', FIVE_MINUTES),
    },
    FIVE_MINUTES,
  );
}
