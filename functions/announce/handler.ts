import { Logger } from '@aws-lambda-powertools/logger';
import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { createHttpClient } from '../../shared/classifier/fetch/http-client.ts';
import {
  ANNOUNCE_RESERVE_MS,
  ANNOUNCE_RETRY_SECONDS,
  LONGEST_ANNOUNCE_RETRY_SECONDS,
  SDK_REQUEST_OPTIONS,
  WEBHOOK_TIMEOUT_MS,
} from '../../shared/contract/limits.ts';
import { describeError } from '../../shared/contract/redact.ts';
import { parseEndLook } from '../../shared/jobs/end-look.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import { loggedHandler } from '../../shared/lambda/logged-handler.ts';
import { deadlineSignal } from '../../shared/runtime/deadline.ts';
import { announceSettingsFrom } from '../../shared/settings.ts';
import { type AnnouncerDependencies, announceEnd, type Verdict } from './announce-end.ts';
import { awsAnnouncements } from './aws-announcements.ts';
import { createWebhook } from './webhook.ts';
import { webhookSecretOf } from './webhook-secret.ts';

const settings = announceSettingsFrom(process.env);
const { serviceName, resultsBucket, jobEndQueueUrl, allowedHosts, fetchUserAgent } = settings;
const logger = new Logger({ serviceName });
const s3 = createS3Client({ requestHandler: SDK_REQUEST_OPTIONS });
const sqs = createSqsClient({ requestHandler: SDK_REQUEST_OPTIONS });
/** One webhook at a time, plus one whose response is being discarded. */
const CONNECTIONS = 4;
const http = createHttpClient(allowedHosts, undefined, {
  connectTimeoutMs: WEBHOOK_TIMEOUT_MS,
  maxConnections: CONNECTIONS,
  ...(fetchUserAgent !== undefined && { userAgent: fetchUserAgent }),
});

const dependencies: AnnouncerDependencies = {
  bucket: { s3, resultsBucket },
  counter: new OutcomeCounter({ s3, resultsBucket }),
  always: { log: async (end) => logger.info('job ended', { end }), ...awsAnnouncements(settings) },
  webhook: createWebhook({ http, secret: webhookSecretOf(settings) }),
  log: {
    announced: (id, where) => logger.debug('announced', { id, where }),
    notAnnounced: (id, where, reason) => logger.warn('not announced, tried again later', { id, where, reason }),
  },
  now: () => new Date(),
};

async function announce({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const signal = deadlineSignal(context.getRemainingTimeInMillis(), ANNOUNCE_RESERVE_MS);
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of Records) {
    const inSeconds = pauseAfter(await verdictOn(record, signal), record);
    if (inSeconds === undefined) continue;
    await postpone(record, inSeconds);
    batchItemFailures.push({ itemIdentifier: record.messageId });
  }
  return { batchItemFailures };
}

async function verdictOn({ messageId, body }: SQSRecord, signal: AbortSignal): Promise<Verdict> {
  const of = parseEndLook(body);
  if (of === undefined) {
    logger.warn('expected a request for a look at a run: dropped', { messageId });
    return { kind: 'done' };
  }
  try {
    return await announceEnd(of, dependencies, signal);
  } catch (error) {
    logger.error('a look at a run failed, tried again later', { ...of, reason: describeError(error) });
    return { kind: 'not announced' };
  }
}

/** @returns seconds until the message is redelivered; undefined when it is done */
function pauseAfter(verdict: Verdict, { attributes }: SQSRecord): number | undefined {
  if (verdict.kind === 'done') return undefined;
  if (verdict.kind === 'again') {
    const ageMs = Date.now() - Number(attributes.SentTimestamp);
    return ageMs < verdict.maxSeconds * 1_000 ? verdict.inSeconds : undefined;
  }
  const doubled = ANNOUNCE_RETRY_SECONDS * 2 ** (Number(attributes.ApproximateReceiveCount) - 1);
  return Math.min(LONGEST_ANNOUNCE_RETRY_SECONDS, doubled);
}

/** If this fails, the message is redelivered after the visibility timeout of its queue. */
async function postpone({ receiptHandle }: SQSRecord, seconds: number): Promise<void> {
  const command = { QueueUrl: jobEndQueueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
  await sqs.send(new ChangeMessageVisibilityCommand(command)).catch(() => undefined);
}

/** Announces the ends of runs: takes requests for looks, returns the messages that SQS must redeliver. */
export const handler = loggedHandler<SQSEvent, SQSBatchResponse>(logger).handler(announce);
