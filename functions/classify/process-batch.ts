import type { SQSRecord } from 'aws-lambda';
import { classifyImages, type ImageOutcome, type ImageToClassify } from '../../shared/classifier/classify-images.ts';
import { runName } from '../../shared/contract/job-run.ts';
import { GUARD_FINISH_MS } from '../../shared/contract/limits.ts';
import { type ImageRef, maySendOn } from '../../shared/contract/message.ts';
import type { MalformedMessage } from '../../shared/contract/parse-message.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import type { Deadline } from '../../shared/runtime/deadline.ts';
import { AckTracker } from './ack-tracker.ts';
import type { Cancellations } from './cancellations.ts';
import { isolateRedelivered, splitMessage, writeCrashFailuresAhead } from './isolate-redelivered.ts';
import { settleMessage } from './persist-outcomes.ts';
import { type ParsedRecord, type TriagedRecords, triageRecords } from './triage-records.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/**
 * Processes the records of one invocation. Redelivered images first, one at a time in isolation; then first deliveries,
 * together. Otherwise a busy queue would starve the isolation step.
 *
 * @param deadline when to stop and write what is done
 * @returns the ids of the messages that must not be acknowledged (`batchItemFailures`)
 */
export async function processBatch(
  records: readonly SQSRecord[],
  dependencies: WorkerDependencies,
  deadline: Deadline,
): Promise<string[]> {
  const { cancellations, jobGuard, workTime } = dependencies;
  using _working = workTime.begin();
  const triaged = triageRecords(records);
  const parsed = [...triaged.fresh, ...triaged.toSplit, ...triaged.poisonCandidates];
  const runs = parsed.map(({ message: { job, run } }) => ({ job, run }));
  await cancellations.refresh(runs);
  using _watch = cancellations.watch(runs);
  const { malformed, fresh, toSplit, poisonCandidates } = withoutCancelled(triaged, cancellations);
  const acks = new AckTracker(records, dependencies.destinations, dependencies.telemetry);
  const withoutCrashFailure = await writeCrashFailuresAhead([...toSplit, ...poisonCandidates], dependencies);
  await Promise.all([
    ...malformed.map(({ record, why }) => acks.ackWhen(record, rejectMessage(record, why, dependencies))),
    ...toSplit.map((parsed) => acks.ackWhen(parsed.record, splitMessage(parsed, dependencies))),
  ]);
  await isolateRedelivered(poisonCandidates, { withoutCrashFailure, dependencies, acks, deadline });
  await acks.deleteAcknowledged();
  await processFresh(fresh, dependencies, acks, deadline);
  if (jobGuard.isBusy) {
    // The count must not delay acknowledgements, and Lambda freezes the process once this returns.
    await acks.deleteAcknowledged();
    await jobGuard.finish(Math.min(GUARD_FINISH_MS, deadline.msLeft()));
  }
  return acks.unacknowledged();
}

/** Images of a cancelled run are only acknowledged, even if they crashed a worker before. */
function withoutCancelled(triaged: TriagedRecords, cancellations: Cancellations): TriagedRecords {
  const isCancelled = ({ message }: ParsedRecord) => cancellations.isCancelled(message);
  const isWanted = (parsed: ParsedRecord) => !isCancelled(parsed);
  return {
    malformed: triaged.malformed,
    fresh: [...triaged.fresh, ...triaged.toSplit.filter(isCancelled), ...triaged.poisonCandidates.filter(isCancelled)],
    toSplit: triaged.toSplit.filter(isWanted),
    poisonCandidates: triaged.poisonCandidates.filter(isWanted),
  };
}

/** Moves the body to the DLQ unchanged: its producer may still recognize it. */
async function rejectMessage(
  { body, messageId }: SQSRecord,
  { reason, expected }: MalformedMessage,
  { destinations: { sqs, deadLetterQueueUrl }, telemetry }: WorkerDependencies,
): Promise<void> {
  await sendMessages(sqs, deadLetterQueueUrl, [{ body, attributes: { reason } }]);
  telemetry.malformed(messageId, expected);
}

/** A message in progress: it is settled once each of its images has an outcome. */
type MessageInProgress = ParsedRecord & { outcomes: Map<ImageRef, ImageOutcome> };
type ImageInProgress = ImageToClassify & { image: ImageRef; work: MessageInProgress };

/** Settles each message as soon as its last image is done, while the others continue. */
async function processFresh(
  fresh: readonly ParsedRecord[],
  dependencies: WorkerDependencies,
  acks: AckTracker,
  deadline: Deadline,
): Promise<void> {
  const { pipeline, destinations, telemetry } = dependencies;
  const settling: Promise<void>[] = [];
  const messagesLeft = new Map<string, number>();
  for (const { message } of fresh) messagesLeft.set(runName(message), (messagesLeft.get(runName(message)) ?? 0) + 1);
  const settleIfComplete = (work: MessageInProgress) => {
    if (work.outcomes.size < work.message.images.length) return;
    settling.push(acks.ackWhen(work.record, settleMessage(work, work.outcomes, dependencies)));
    const run = runName(work.message);
    const left = (messagesLeft.get(run) ?? 0) - 1;
    messagesLeft.set(run, left);
    // The last lines of a job must not wait for another job's slow hosts.
    if (left === 0) destinations.parts.flush(work.message);
  };
  const images: ImageInProgress[] = [];
  for (const parsed of fresh) {
    const { message } = parsed;
    const work: MessageInProgress = { ...parsed, outcomes: new Map() };
    const isCancelled = () => dependencies.cancellations.isCancelled(message);
    const isLastChance = !maySendOn(message);
    for (const image of message.images) {
      images.push({ url: image.url, group: message.job, isLastChance, isCancelled, image, work });
    }
    settleIfComplete(work);
  }
  const onOutcome = ({ image, work }: ImageInProgress, outcome: ImageOutcome) => {
    work.outcomes.set(image, outcome);
    dependencies.workTime.spentOn(runName(work.message));
    settleIfComplete(work);
  };
  await classifyImages(images, pipeline, { onOutcome, signal: deadline.signal, observe: telemetry });
  destinations.parts.flush();
  await Promise.all(settling);
}
