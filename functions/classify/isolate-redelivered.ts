import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { runName } from '../../shared/contract/job-run.ts';
import { ISOLATED_TIMEOUT_MS, MAX_DELAY_SECONDS, MAX_RECEIVE_COUNT } from '../../shared/contract/limits.ts';
import { formatMessage, type ImageRef, maySendOn, nextEnvelope } from '../../shared/contract/message.ts';
import { failureLine } from '../../shared/contract/result-line.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import type { AckTracker } from './ack-tracker.ts';
import type { Deadline } from './deadline.ts';
import { settleMessage } from './settle-message.ts';
import { type ParsedRecord, receiveCount } from './triage-records.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/**
 * Before the last delivery that the redrive policy permits: if the worker dies once more, SQS moves
 * the message to the DLQ and nobody is left to write its failure lines. So they are written now,
 * before anything else is begun that the worker may die of; a result that comes after all overrides
 * them.
 *
 * @returns the messages whose last delivery this is and whose lines could not be written
 */
export async function writeCrashFailuresAhead(
  deliveredBefore: readonly ParsedRecord[],
  dependencies: WorkerDependencies,
): Promise<ReadonlySet<ParsedRecord>> {
  const last = deliveredBefore.filter(({ record }) => receiveCount(record) >= MAX_RECEIVE_COUNT);
  if (last.length > 0) dependencies.telemetry.lastDelivery(last.length);
  const written = last.map((read) => writeCrashFailureAhead(read, dependencies));
  dependencies.destinations.parts.flush();
  const outcomes = await Promise.allSettled(written);
  return new Set(last.filter((_, index) => outcomes[index]?.status === 'rejected'));
}

async function writeCrashFailureAhead(
  { message }: ParsedRecord,
  { destinations, now }: WorkerDependencies,
): Promise<void> {
  const { job, run, attempt, images } = message;
  const error = new ImageFailure(
    'worker_crashed',
    `each of the ${MAX_RECEIVE_COUNT} workers that took this image died`,
  );
  const at = now();
  const lines = images.map((image) => failureLine({ job, run, image, attempt, at }, error.report()));
  await destinations.parts.write('failures', message, lines);
}

/**
 * Replaces a message of many images, one of which may have killed a worker, by messages of one
 * image each. They start with a receive count of their own, so the harmless ones are done at once.
 */
export async function splitMessage(read: ParsedRecord, dependencies: WorkerDependencies): Promise<void> {
  const { destinations } = dependencies;
  const envelope = nextEnvelope(read.message);
  const bodies = read.message.images.map((image) => ({ body: formatMessage({ ...envelope, images: [image] }) }));
  await sendMessages(destinations.sqs, destinations.queueUrl, bodies, envelope.job);
}

/**
 * Takes images that were in a worker when it died, one after the other, each in an isolated process, and acknowledges
 * each message before the next is begun. It has a single image, unless its chain is too long for splitting it.
 */
export async function isolateRedelivered(
  poisonCandidates: readonly ParsedRecord[],
  withoutCrashFailure: ReadonlySet<ParsedRecord>,
  dependencies: WorkerDependencies,
  acks: AckTracker,
  deadline: Deadline,
): Promise<void> {
  const timeoutMs = Math.min(ISOLATED_TIMEOUT_MS, deadline.msLeft() / 2);
  for (const candidate of poisonCandidates) {
    await acks.deleteAcknowledged();
    const done = withoutCrashFailure.has(candidate)
      ? postpone(candidate, dependencies)
      : classifyIsolated(candidate, timeoutMs, dependencies, deadline);
    await acks.ackWhen(candidate.record, done);
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
    // An image that is begun must be able to use up its time, or one that hangs would never be found out.
    const enoughTime = deadline.msLeft() >= timeoutMs;
    const outcome = enoughTime
      ? await dependencies.isolatedClassifier.classify(image.url, timeoutMs, deadline.signal)
      : ('not_reached' as const);
    dependencies.workTime.spentOn(runName(candidate.message));
    outcomes.push([image, outcome]);
  }
  const settled = settleMessage(candidate, outcomes, dependencies);
  dependencies.destinations.parts.flush();
  await settled;
}

/** Sends the message anew, for later: an image must not end in the DLQ without its failure line. */
async function postpone({ message }: ParsedRecord, { destinations }: WorkerDependencies): Promise<void> {
  if (!maySendOn(message)) throw new Error('the message was sent on as often as it may be, and its line not written');
  const body = formatMessage({ ...nextEnvelope(message), images: message.images });
  const later = { body, delaySeconds: MAX_DELAY_SECONDS };
  await sendMessages(destinations.sqs, destinations.queueUrl, [later], message.job);
}
