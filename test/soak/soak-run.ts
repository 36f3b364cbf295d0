import type { SQSRecord } from 'aws-lambda';
import { VISIBILITY_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { startAwsProcess } from '../../testkit/aws-process.ts';
import { messageRecord } from '../../testkit/sqs-record.ts';
import { startImageServerProcess } from '../support/image-server-process.ts';
import type { Measurement } from '../support/measured-handler.ts';
import { type MeasuredWorker, startMeasuredWorker } from './measured-worker.ts';
import { soakImages } from './soak-images.ts';

const IMAGES_PER_MESSAGE = 10;
const MESSAGES_PER_INVOCATION = 10;
/** The interval, from 1, after which the worker is warm: all of its code has run, and its pools have their size. */
export const REFERENCE_INTERVAL = 5;

/** What was measured after each 1,000 images. */
export type SoakInterval = { images: number; seconds: number; measured: Measurement };
export type Soak = {
  intervals: SoakInterval[];
  /** Idle, after the reference interval and at the end. */
  idle: { reference: Measurement; end: Measurement };
};

/**
 * Sends images through one worker process.
 *
 * @param images a multiple of 1,000
 * @param onInterval called after each 1,000 images
 */
export async function runSoak(images: number, onInterval: (interval: SoakInterval) => void): Promise<Soak> {
  await using imageServer = await startImageServerProcess();
  await using aws = await startAwsProcess({ visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS });
  const { host } = imageServer.report;
  await using worker = await startMeasuredWorker({
    ...aws.report.environment,
    ALLOWED_HOSTS: host,
    FETCH_TIMEOUT_SECONDS: '2',
  });
  const intervals: SoakInterval[] = [];
  let reference: Measurement | undefined;
  while (intervals.length * 1_000 < images) {
    const interval = await workThrough(intervals.length * 1_000, host, worker);
    intervals.push(interval);
    onInterval(interval);
    if (intervals.length === REFERENCE_INTERVAL) reference = await worker.invoke([]);
  }
  if (reference === undefined) throw new Error(`expected more than ${REFERENCE_INTERVAL},000 images, got ${images}`);
  return { intervals, idle: { reference, end: await worker.invoke([]) } };
}

async function workThrough(start: number, host: string, worker: MeasuredWorker): Promise<SoakInterval> {
  const started = performance.now();
  let measured: Measurement | undefined;
  for (let first = start; first < start + 1_000; first += IMAGES_PER_MESSAGE * MESSAGES_PER_INVOCATION) {
    measured = await worker.invoke(recordsFrom(first, host));
  }
  if (measured === undefined) throw new Error('expected at least one invocation for 1,000 images');
  return { images: start + 1_000, seconds: (performance.now() - started) / 1_000, measured };
}

function recordsFrom(first: number, host: string): SQSRecord[] {
  return Array.from({ length: MESSAGES_PER_INVOCATION }, (_, message) => {
    const images = soakImages(first + message * IMAGES_PER_MESSAGE, IMAGES_PER_MESSAGE, host);
    return messageRecord({ job: 'soak', images });
  });
}
