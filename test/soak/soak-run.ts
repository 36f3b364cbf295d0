import type { SQSRecord } from 'aws-lambda';
import { VISIBILITY_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import type { OwnAws } from '../../testkit/own-aws.ts';
import { startOwnProcess } from '../../testkit/own-process.ts';
import { messageRecord } from '../../testkit/sqs-record.ts';
import type { Measurement } from '../support/measured-handler.ts';
import type { OwnImageServer } from '../support/own-image-server.ts';
import { type MeasuredWorker, startMeasuredWorker } from './measured-worker.ts';
import { soakImages } from './soak-images.ts';

const IMAGES_PER_MESSAGE = 10;
const MESSAGES_PER_INVOCATION = 10;
/** The worker is warm then: all of its code has run, and its pools have their size. */
export const REFERENCE_THOUSAND = 3;

export type Thousand = { images: number; seconds: number; measured: Measurement };
export type Soak = {
  thousands: Thousand[];
  /** Idle, after the reference thousand and at the end. */
  idle: { reference: Measurement; end: Measurement };
};

/**
 * Sends images through one worker process.
 *
 * @param images a multiple of 1,000
 * @param onThousand called after each thousand
 */
export async function runSoak(images: number, onThousand: (thousand: Thousand) => void): Promise<Soak> {
  await using imageServer = await startOwnProcess<OwnImageServer>(
    new URL('../support/own-image-server.ts', import.meta.url),
  );
  await using aws = await startOwnProcess<OwnAws>(
    new URL('../../testkit/own-aws.ts', import.meta.url),
    String(VISIBILITY_TIMEOUT_SECONDS),
  );
  const { host } = imageServer.report;
  await using worker = await startMeasuredWorker({
    ...aws.report.environment,
    ALLOWED_HOSTS: host,
    FETCH_TIMEOUT_SECONDS: '2',
  });
  const thousands: Thousand[] = [];
  let reference: Measurement | undefined;
  while (thousands.length * 1_000 < images) {
    const thousand = await workThrough(thousands.length * 1_000, host, worker);
    thousands.push(thousand);
    onThousand(thousand);
    if (thousands.length === REFERENCE_THOUSAND) reference = await worker.invoke([]);
  }
  if (reference === undefined) throw new Error(`expected more than ${REFERENCE_THOUSAND},000 images, got ${images}`);
  return { thousands, idle: { reference, end: await worker.invoke([]) } };
}

async function workThrough(start: number, host: string, worker: MeasuredWorker): Promise<Thousand> {
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
