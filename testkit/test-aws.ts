import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { type EmbeddedAws, type EmbeddedAwsOptions, startEmbeddedAws } from '../local/embedded-aws.ts';
import { type PartKind, partPrefix } from '../shared/contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../shared/contract/result-line.ts';
import { createJobTarget, type JobTarget } from '../shared/jobs/job-target.ts';
import { sendMessages } from '../shared/jobs/send-messages.ts';
import { jobSettingsFrom } from '../shared/settings.ts';
import './short-polls.ts';

/** A message as it lies in a queue. */
export type QueuedMessage = {
  body: string;
  attributes: Record<string, string | undefined>;
  /** What its sender asked for. */
  delaySeconds: number;
  receiveCount: number;
};

/** The embedded AWS with SDK clients. Its queues can be inspected without receiving messages, and polls of the DLQ are short. */
export type TestAws = EmbeddedAws &
  AsyncDisposable & {
    target: JobTarget;
    send(...bodies: string[]): Promise<void>;
    /** Everything in the queue: visible, delayed and in flight. */
    queued(): QueuedMessage[];
    deadLetters(): QueuedMessage[];
    partKeys(kind: PartKind, job: string): Promise<string[]>;
    /** All lines of a job, duplicates included. */
    results(job: string): Promise<ResultLine[]>;
    failures(job: string): Promise<FailureLine[]>;
    /** Empties queues and bucket. */
    clear(): void;
  };

export async function startTestAws(
  options: Pick<EmbeddedAwsOptions, 'dataDir' | 'visibilityTimeoutSeconds' | 'onNotice'> = {},
): Promise<TestAws> {
  const aws = await startEmbeddedAws({ port: 0, ...options });
  // No SDK retries: a test of a failure must not wait for them.
  const target = createJobTarget(jobSettingsFrom(aws.environment), { ...aws.clientConfig, maxAttempts: 1 });
  const stop = async () => {
    target.sqs.destroy();
    target.s3.destroy();
    await aws.stop();
  };
  return {
    ...aws,
    target,
    send: (...bodies) =>
      sendMessages(
        target.sqs,
        target.queueUrl,
        bodies.map((body) => ({ body })),
      ),
    queued: () => messagesIn(aws, target.queueUrl),
    deadLetters: () => messagesIn(aws, target.deadLetterQueueUrl),
    partKeys: (kind, job) => partKeys(target, kind, job),
    results: async (job) => (await linesIn(target, 'results', job)) as ResultLine[],
    failures: async (job) => (await linesIn(target, 'failures', job)) as FailureLine[],
    clear: () => aws.server.reset(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function partKeys({ s3, resultsBucket }: JobTarget, kind: PartKind, job: string): Promise<string[]> {
  const command = new ListObjectsV2Command({ Bucket: resultsBucket, Prefix: partPrefix(kind, job) });
  const { Contents = [] } = await s3.send(command);
  return Contents.map(({ Key = '' }) => Key);
}

async function linesIn(target: JobTarget, kind: PartKind, job: string): Promise<unknown[]> {
  const lines: unknown[] = [];
  for (const key of await partKeys(target, kind, job)) {
    const { Body } = await target.s3.send(new GetObjectCommand({ Bucket: target.resultsBucket, Key: key }));
    const text = (await Body?.transformToString()) ?? '';
    if (!text.endsWith('\n')) throw new Error(`expected a newline at the end of ${key}`);
    for (const line of text.slice(0, -1).split('\n')) lines.push(JSON.parse(line));
  }
  return lines;
}

function messagesIn({ server }: EmbeddedAws, queueUrl: string): QueuedMessage[] {
  const queue = server.inspectQueue(queueUrl.slice(queueUrl.lastIndexOf('/') + 1));
  if (queue === undefined) throw new Error(`expected a queue at ${queueUrl}`);
  const { ready, delayed, inflight } = queue.messages;
  return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map((message) => ({
    body: message.body,
    attributes: Object.fromEntries(
      Object.entries(message.messageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
    ),
    delaySeconds: message.delayUntil === undefined ? 0 : (message.delayUntil - message.sentTimestamp) / 1_000,
    receiveCount: message.approximateReceiveCount,
  }));
}
