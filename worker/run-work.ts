import type { SQSClient } from '@aws-sdk/client-sqs';
import { FUNCTION_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { WORK_MACHINE_VARIABLE } from '../shared/contract/worker-time.ts';
import { createS3Client } from '../shared/jobs/s3-client.ts';
import { createSqsClient } from '../shared/jobs/sqs-client.ts';
import { checkBucket, patiently, visibilityTimeoutOf } from './check-aws.ts';
import type { ExecutionEnvironment } from './execution-environment.ts';
import { CLASSIFY_HANDLER } from './handler-path.ts';
import { type HealthServer, startHealthServer } from './health-server.ts';
import { POLL_SECONDS } from './intake.ts';
import { queueReading } from './queue-reading.ts';
import { untilInterruption, untilWorkEnds } from './work-end.ts';
import type { WorkLog } from './work-log.ts';
import { WorkLoop } from './work-loop.ts';
import { WorkMetrics } from './work-metrics.ts';
import { workProcesses } from './work-processes.ts';
import type { WorkSettings } from './work-settings.ts';

const MEGABYTE = 1_000_000;
const PROGRESS_MS = 1_000;
/** Longer than a long poll. The SDK itself waits forever. */
const SDK_REQUEST_OPTIONS = { requestTimeout: 2 * POLL_SECONDS * 1_000, throwOnRequestTimeout: true } as const;

/** What a run of `labelqueue work` depends on. */
export type WorkOptions = {
  settings: WorkSettings;
  /** The environment of the worker processes; also names the metadata service. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Resolves with the name of the signal that stops the work. */
  stop: Promise<string>;
  log: WorkLog;
  /** Called with each JSON line that a worker process writes to standard output. */
  onWorkerLine: (line: string) => void;
  /** Called every second. */
  onProgress?: (progress: WorkProgress) => void;
};

/** The progress of a run, in images. */
export type WorkProgress = {
  classified: number;
  failed: number;
  /** Messages held. */
  held: number;
  /** Ready processes. */
  processes: number;
  isStopping: boolean;
};

/** The parts of a run, once queue and bucket have been checked. */
type Work = { sqs: SQSClient; environments: readonly ExecutionEnvironment[]; loop: WorkLoop; metrics: WorkMetrics };

/**
 * Processes the messages of a queue until it is stopped; resolves once it has drained.
 *
 * @throws user errors: no such queue, missing permissions, no such bucket, a port in use, a model that cannot be loaded
 */
export async function runWork(options: WorkOptions): Promise<void> {
  const sqs = createSqsClient({ requestHandler: SDK_REQUEST_OPTIONS });
  try {
    const checked = await checkedOrStopped(options, sqs);
    if ('stopped' in checked) return options.log('INFO', 'work ended', { reason: checked.stopped });
    const { visibilitySeconds } = checked;
    await workUntilEnd(prepare(options, sqs, visibilitySeconds), options, visibilitySeconds);
  } finally {
    sqs.destroy();
  }
}

/** No messages are held yet, so a signal stops the start without waiting for AWS. */
async function checkedOrStopped(
  options: WorkOptions,
  sqs: SQSClient,
): Promise<{ visibilitySeconds: number } | { stopped: string }> {
  const over = new AbortController();
  const checks = checkedAws(options, sqs, over.signal);
  try {
    return await Promise.race([checks, options.stop.then((stopped) => ({ stopped }))]);
  } finally {
    over.abort();
    checks.catch(() => {});
  }
}

async function checkedAws(
  { settings, log }: WorkOptions,
  sqs: SQSClient,
  signal: AbortSignal,
): Promise<{ visibilitySeconds: number }> {
  const { queueUrl, resultsBucket } = settings;
  const patience = { signal, onNotice: (text: string) => log('WARN', text) };
  const s3 = createS3Client({ requestHandler: SDK_REQUEST_OPTIONS });
  try {
    const [visibilitySeconds] = await Promise.all([
      patiently(() => visibilityTimeoutOf(sqs, queueUrl), { ...patience, service: 'SQS' }),
      patiently(() => checkBucket(s3, resultsBucket), { ...patience, service: 'S3' }),
    ]);
    return { visibilitySeconds };
  } finally {
    s3.destroy();
  }
}

function prepare(options: WorkOptions, sqs: SQSClient, visibilitySeconds: number): Work {
  const { settings, environment, log, onWorkerLine } = options;
  const metrics = new WorkMetrics(settings.machine);
  const environments = workProcesses({
    count: settings.processes,
    handlerPath: CLASSIFY_HANDLER,
    environment: { ...environment, [WORK_MACHINE_VARIABLE]: settings.machine },
    onLine(line) {
      metrics.addLine(line);
      onWorkerLine(line);
    },
    onErrorText: (text) => log('WARN', 'a process has written to standard error', { text: text.trimEnd() }),
  });
  const loop = new WorkLoop({
    sqs,
    queueUrl: settings.queueUrl,
    visibilitySeconds,
    environments,
    timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
    processMemoryBytes: settings.processMemoryMb * MEGABYTE,
    onFunctionError: ({ message }) => log('ERROR', 'a process has failed', { reason: message }),
    onNotice: (text) => log('WARN', text),
  });
  return { sqs, environments, loop, metrics };
}

async function workUntilEnd(work: Work, options: WorkOptions, visibilitySeconds: number): Promise<void> {
  const { environments, loop, metrics } = work;
  const { settings, log, onProgress } = options;
  const { processes, processMemoryMb, queueUrl } = settings;
  const over = new AbortController();
  const health = await startHealth(work, settings);
  const report = () => onProgress?.(progressOf(work));
  const reporting = setInterval(report, PROGRESS_MS);
  try {
    loop.start();
    const serving = health && { address: health.address };
    log('INFO', 'work started', { processes, processMemoryMb, queueUrl, visibilitySeconds, ...serving });
    const end = untilWorkEnds({ ...options, loop, sqs: work.sqs, signal: over.signal });
    const { reason, drainMs } = await Promise.race([end, loop.ended().then(() => end)]);
    log('INFO', 'work ends', { reason, drainSeconds: Math.round(drainMs / 1_000), ...loop.held });
    void untilInterruption({ ...options, signal: over.signal }).then((sooner) => loop.stop(sooner.drainMs));
    await loop.stop(drainMs);
    // A failure while draining is reported like any other.
    await loop.ended();
    log('INFO', 'work ended', { reason, ...metrics.images, ...loop.counts });
  } finally {
    over.abort();
    // The loop has ended: normally, or with its failure.
    await loop.stop(0);
    await Promise.all(environments.map((one) => one.shutDown()));
    await health?.[Symbol.asyncDispose]();
    clearInterval(reporting);
    report();
  }
}

async function startHealth(
  { loop, metrics, environments, sqs }: Work,
  settings: WorkSettings,
): Promise<HealthServer | undefined> {
  const { port, host } = settings;
  if (port === undefined) return undefined;
  return startHealthServer({
    port,
    host,
    isReady: () => loop.readyProcesses > 0 && loop.isSqsAnswering && !loop.isStopping,
    metrics: async () => metrics.text(loop, environments, await queueReading(sqs, settings)),
  });
}

function progressOf({ loop, metrics }: Work): WorkProgress {
  const { waiting, inWork } = loop.held;
  return {
    ...metrics.images,
    held: waiting + inWork,
    processes: loop.readyProcesses,
    isStopping: loop.isStopping,
  };
}
