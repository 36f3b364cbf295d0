import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { runName } from '../../shared/contract/job-run.ts';
import { ISOLATED_TIMEOUT_MS, MAX_DELAY_SECONDS, MAX_RECEIVE_COUNT } from '../../shared/contract/limits.ts';
import { formatMessage, type ImageRef, maySendOn, nextEnvelope } from '../../shared/contract/message.ts';
import { failureLine } from '../../shared/contract/result-line.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import type { Deadline } from '../../shared/runtime/deadline.ts';
import type { AckTracker } from './ack-tracker.ts';
import { settleMessage } from './persist-outcomes.ts';
import { type ParsedRecord, receiveCount } from './triage-records.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/**
 * Writes `worker_crashed` failures before the last delivery that the redrive policy permits. If the worker crashes again,
 * SQS moves the message to the DLQ and no worker can write its failure lines. So they are written ahead of any work that
 * may crash the worker. A result that is written later takes precedence over them.
 *
 * @returns the messages on their last delivery whose failures could not be written
 */
export async function writeCrashFailuresAhead(
  redelivered: readonly ParsedRecord[],
  dependencies: WorkerDependencies,
): Promise<ReadonlySet<ParsedRecord>> {
  const last = redelivered.filter(({ record }) => receiveCount(record) >= MAX_RECEIVE_COUNT);
  if (last.length > 0) dependencies.telemetry.lastDelivery(last.length);
  const written = last.map((parsed) => writeCrashFailureAhead(parsed, dependencies));
  dependencies.destinations.parts.flush();
  const outcomes = await Promise.allSettled(written);
  return new Set(last.filter((_, index) => outcomes[index]?.status === 'rejected'));
}

async function writeCrashFailureAhead({ message }: ParsedRecord, dependencies: WorkerDependencies): Promise<void> {
  const { job, run, attempt, images } = message;
  const { destinations, now } = dependencies;
  const failure = new ImageFailure(
    'worker_crashed',
    `each of the ${MAX_RECEIVE_COUNT} workers that processed this image crashed`,
  );
  const at = now();
  const lines = images.map((image) => failureLine({ job, run, image, attempt, at }, failure.report()));
  await destinations.parts.write('failures', message, lines);
}

/**
 * Replaces a message of several images, one of which may have crashed a worker, by messages of one image each. These start
 * with a receive count of their own, so harmless images are done on their first delivery.
 */
export async function splitMessage({ message }: ParsedRecord, { destinations }: WorkerDependencies): Promise<void> {
  const envelope = nextEnvelope(message);
  const bodies = message.images.map((image) => ({ body: formatMessage({ ...envelope, images: [image] }) }));
  await sendMessages(destinations.sqs, destinations.queueUrl, bodies, envelope.job);
}

/** What the isolation step needs of its invocation. */
export type IsolationStep = {
  /** On their last delivery, and their crash failures could not be written: postponed instead of tried. */
  withoutCrashFailure: ReadonlySet<ParsedRecord>;
  dependencies: WorkerDependencies;
  acks: AckTracker;
  deadline: Deadline;
};

/**
 * Classifies redelivered images one at a time, each in an isolated process, and acknowledges each message before the next
 * one starts. A message has a single image, unless its chain is too long to split it.
 */
export async function isolateRedelivered(
  poisonCandidates: readonly ParsedRecord[],
  { withoutCrashFailure, dependencies, acks, deadline }: IsolationStep,
): Promise<void> {
  const timeoutMs = Math.min(ISOLATED_TIMEOUT_MS, deadline.msLeft() / 2);
  for (const candidate of poisonCandidates) {
    await acks.deleteAcknowledged();
    const settled = withoutCrashFailure.has(candidate)
      ? postpone(candidate, dependencies)
      : classifyIsolated(candidate, timeoutMs, dependencies, deadline);
    await acks.ackWhen(candidate.record, settled);
  }
}

async function classifyIsolated(
  candidate: ParsedRecord,
  timeoutMs: number,
  dependencies: WorkerDependencies,
  deadline: Deadline,
): Promise<void> {
  const outcomes: [ImageRef, ImageOutcome][] = [];
  for (const image of candidate.message.images) {
    outcomes.push([image, await classifyOne(image, candidate, timeoutMs, { dependencies, deadline })]);
    dependencies.workTime.spentOn(runName(candidate.message));
  }
  const settled = settleMessage(candidate, outcomes, dependencies);
  dependencies.destinations.parts.flush();
  await settled;
}

async function classifyOne(
  image: ImageRef,
  { message }: ParsedRecord,
  timeoutMs: number,
  { dependencies, deadline }: Pick<IsolationStep, 'dependencies' | 'deadline'>,
): Promise<ImageOutcome> {
  // The images before it may have taken minutes.
  if (dependencies.cancellations.isCancelled(message)) return 'cancelled';
  // An image must get its full timeout, or one that hangs would never be identified.
  if (deadline.msLeft() < timeoutMs) return 'not_reached';
  return dependencies.isolatedClassifier.classify(image.url, timeoutMs, deadline.signal);
}

/** Sends the message again with a delay: an image must not reach the DLQ without its failure line. */
async function postpone({ message }: ParsedRecord, { destinations }: WorkerDependencies): Promise<void> {
  if (!maySendOn(message)) throw new Error('the message cannot be sent on again, and its failure line is not written');
  const body = formatMessage({ ...nextEnvelope(message), images: message.images });
  const later = { body, delaySeconds: MAX_DELAY_SECONDS };
  await sendMessages(destinations.sqs, destinations.queueUrl, [later], message.job);
}
