import { LabelqueueMetrics } from '../../dashboard/metrics.ts';
import type { MetricsReading } from '../../dashboard/metrics-reading.ts';
import { WorkerLogTotals } from '../../dashboard/metrics-worker-log.ts';
import type { EmbeddedAws } from '../../local/embedded-aws.ts';
import type { WorkerWatch } from '../../local/local-service.ts';
import { thisMachine } from '../../shared/contract/worker-time.ts';

/** Prometheus metrics of `labelqueue local`: totals from worker logs, and queue depths. */
export type LocalMetrics = WorkerWatch & { text(aws: EmbeddedAws): Promise<string> };

export function localMetrics(): LocalMetrics {
  const metrics = new LabelqueueMetrics();
  // Priced as Lambda would be, with the memory that a stage has by default.
  const log = new WorkerLogTotals(metrics, thisMachine({}, process.arch));
  let workerErrors = 0;
  return {
    onLine: (line) => log.add(line),
    onError() {
      workerErrors++;
    },
    text: (aws) => metrics.text({ ...queueReading(aws), ...log.reading, workerErrors }),
  };
}

function queueReading(aws: EmbeddedAws): Pick<MetricsReading, 'queue' | 'oldestMessageAgeSeconds'> {
  const { queue, deadLetterQueue } = aws.depths();
  if (queue === undefined || deadLetterQueue === undefined) return {};
  const { waiting, inFlight, delayed, oldestSentAt } = queue;
  const dead = deadLetterQueue.waiting + deadLetterQueue.inFlight + deadLetterQueue.delayed;
  const oldestMessageAgeSeconds = oldestSentAt === undefined ? 0 : Math.max(0, (Date.now() - oldestSentAt) / 1_000);
  return { queue: { waiting, in_flight: inFlight, delayed, dead }, oldestMessageAgeSeconds };
}
