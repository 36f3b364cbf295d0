import type { SQSClient } from '@aws-sdk/client-sqs';
import type { MetricsReading } from '../dashboard/metrics-reading.ts';
import { queueCounts } from '../shared/jobs/queue-counts.ts';
import type { WorkSettings } from './work-settings.ts';

/** Timeout of SQS for a scrape. */
const SCRAPE_TIMEOUT_MS = 5_000;

/**
 * The queue metrics of `/metrics`.
 *
 * @returns undefined while SQS does not respond, or denies access
 */
export async function queueReading(
  sqs: SQSClient,
  { queueUrl, deadLetterQueueUrl }: Pick<WorkSettings, 'queueUrl' | 'deadLetterQueueUrl'>,
): Promise<MetricsReading['queue']> {
  try {
    const [queue, dead] = await Promise.all([counts(sqs, queueUrl), counts(sqs, deadLetterQueueUrl)]);
    return { ...queue, dead: dead.waiting + dead.in_flight + dead.delayed };
  } catch {
    return undefined;
  }
}

async function counts(sqs: SQSClient, queueUrl: string) {
  const { waiting, inFlight, delayed } = await queueCounts(sqs, queueUrl, AbortSignal.timeout(SCRAPE_TIMEOUT_MS));
  return { waiting, in_flight: inFlight, delayed };
}
