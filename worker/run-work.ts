import type { SQSClient } from '@aws-sdk/client-sqs';
import { FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { createS3Client } from '../shared/jobs/s3-client.ts';
import { createSqsClient } from '../shared/jobs/sqs-client.ts';
import { checkBucket, visibilityTimeoutOf } from './check-aws.ts';
import { untilEmpty } from './empty-queue.ts';
import { CLASSIFY_HANDLER } from './handler-path.ts';
import { startHealthServer } from './health-server.ts';
import { queueReading } from './queue-reading.ts';
import { untilSpotNotice } from './spot-notice.ts';
import type { WorkLog } from './work-log.ts';
import { WorkLoop } from './work-loop.ts';
import { WorkMetrics } from './work-metrics.ts';
import { workProcesses } from './work-processes.ts';
import type { WorkSettings } from './work-settings.ts';

const MEGABYTE = 1_000_000;
/** Kept of the time that EC2 leaves: messages have to be given back in it. */
const SPOT_RESERVE_MS = 10_000;
const PROGRESS_MS = 1_000;

export type WorkOptions = {
  settings: WorkSettings;
  /** What the processes of the worker get, and what names the metadata service. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Resolves, with what it was, when the work has to end. */
  stop: Promise<string>;
  log: WorkLog;
  /** Is given each line that a process of the worker writes to its standard output: JSON. */
  onWorkerLine: (line: string) => void;
  /** Is told now and then how it goes. */
  onProgress?: (progress: WorkProgress) => void;
};

export type WorkProgress = {
  classified: number;
  failed: number;
  /** Messages in hand. */
  held: number;
  processes: number;
  isStopping: boolean;
};

/** How a run has ended. */
export type WorkEnd = { reason: string; classified: number; failed: number };

type End = { reason: string; drainMs: number };

/**
 * Works on the messages of a queue until it is to end, and resolves once nothing is in hand any more.
 *
 * @throws what a user can do something about: no such queue, no rights, no bucket, a model that cannot be loaded
 */
export async function runWork(options: WorkOptions): Promise<WorkEnd> {
  const { settings, environment, log, onWorkerLine, onProgress } = options;
  const { queueUrl, processes, processMemoryMb } = settings;
  const sqs = createSqsClient();
  const s3 = createS3Client();
  const over = new AbortController();
  const metrics = new WorkMetrics();
  try {
    const [visibilitySeconds] = await Promise.all([
      visibilityTimeoutOf(sqs, queueUrl),
      checkBucket(s3, settings.resultsBucket),
    ]);
    const environments = workProcesses({
      count: processes,
      handlerPath: CLASSIFY_HANDLER,
      environment,
      onLine(line) {
        metrics.addLine(line);
        onWorkerLine(line);
      },
      onNote: (text) => log('WARN', 'a process of the worker has written to standard error', { text }),
    });
    const loop = new WorkLoop({
      sqs,
      queueUrl,
      visibilitySeconds,
      environments,
      timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
      processMemoryBytes: processMemoryMb * MEGABYTE,
      onFunctionError: ({ message }) => log('ERROR', 'a process of the worker has failed', { reason: message }),
      onNotice: (text) => log('WARN', text),
    });
    const health =
      settings.port === undefined
        ? undefined
        : await startHealthServer({
            port: settings.port,
            host: settings.host,
            isReady: () => loop.readyProcesses > 0 && loop.isSqsAnswering && !loop.isStopping,
            metrics: async () => metrics.text(loop, environments, await queueReading(sqs, settings)),
          });
    loop.start();
    const maxMemory = `at most ${processes} × ${processMemoryMb} MB between batches`;
    const serving = health && { address: health.address };
    log('INFO', 'work started', { processes, queueUrl, visibilitySeconds, memory: maxMemory, ...serving });
    const reporting = onProgress && setInterval(() => onProgress(progressOf(loop, metrics)), PROGRESS_MS);
    try {
      const end = await Promise.race([firstEnd(options, loop, sqs, over.signal), loop.ended().then(neverByItself)]);
      log('INFO', 'work ends', { reason: end.reason, drainSeconds: Math.round(end.drainMs / 1_000), ...loop.held });
      await loop.stop(end.drainMs);
      const { classified, failed } = metrics.images;
      log('INFO', 'work ended', { reason: end.reason, classified, failed, ...loop.counts });
      return { reason: end.reason, classified, failed };
    } finally {
      clearInterval(reporting);
      await loop.stop(0);
      await Promise.all(environments.map((one) => one.shutDown()));
      await health?.[Symbol.asyncDispose]();
      onProgress?.(progressOf(loop, metrics));
    }
  } finally {
    over.abort();
    sqs.destroy();
    s3.destroy();
  }
}

function progressOf(loop: WorkLoop, metrics: WorkMetrics): WorkProgress {
  const { waiting, inWork } = loop.held;
  const { readyProcesses: processes, isStopping } = loop;
  return { ...metrics.images, held: waiting + inWork, processes, isStopping };
}

function neverByItself(): never {
  throw new Error('the loop ended by itself');
}

/** Whatever comes first of a signal, a Spot notice and an empty queue. */
function firstEnd(
  { settings, environment, stop, log }: WorkOptions,
  loop: WorkLoop,
  sqs: SQSClient,
  signal: AbortSignal,
): Promise<End> {
  const { queueUrl, drainSeconds, exitWhenEmptySeconds, spot } = settings;
  const drainMs = drainSeconds * 1_000;
  const ends = [stop.then((reason) => ({ reason, drainMs }))];
  if (exitWhenEmptySeconds !== undefined) {
    const isBusy = () => loop.held.waiting + loop.held.inWork > 0 || loop.readyProcesses === 0;
    const empty = untilEmpty({ sqs, queueUrl, seconds: exitWhenEmptySeconds, isBusy, signal });
    ends.push(empty.then(() => ({ reason: 'the queue is empty', drainMs })));
  }
  if (spot) {
    const endpoint = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
    const notice = untilSpotNotice({ signal, endpoint, onNotice: (text) => log('WARN', text) });
    ends.push(
      notice.then(({ reason, at = Number.POSITIVE_INFINITY }) => ({
        reason: `Spot ${reason}`,
        drainMs: Math.max(0, Math.min(drainMs, at - Date.now() - SPOT_RESERVE_MS)),
      })),
    );
  }
  return Promise.race(ends);
}
