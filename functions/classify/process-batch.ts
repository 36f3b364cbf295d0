import type { SQSRecord } from 'aws-lambda';
import { classifyImages, type ImageOutcome, type ImageToClassify } from '../../shared/classifier/classify-images.ts';
import { runName } from '../../shared/contract/job-run.ts';
import { GUARD_FINISH_MS } from '../../shared/contract/limits.ts';
import { type ImageRef, type MalformedMessage, maySendOn } from '../../shared/contract/message.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { AckTracker } from './ack-tracker.ts';
import type { Cancellations } from './cancellations.ts';
import type { Deadline } from './deadline.ts';
import { isolateRedelivered, splitMessage, writeCrashFailuresAhead } from './isolate-redelivered.ts';
import { settleMessage } from './settle-message.ts';
import { type ParsedRecord, type TriagedRecords, triageRecords } from './triage-records.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/**
 * Works through the records of one invocation: one by one the images that were in a worker when it
 * died, then all together what comes for the first time. In this order, since busy times leave no
 * time over: an image that kills workers would never be found out.
 *
 * @param deadline when it is time to write what there is
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
  const runs = [...triaged.fresh, ...triaged.toSplit, ...triaged.poisonCandidates].map(({ message: { job, run } }) => ({
    job,
    run,
  }));
  await cancellations.refresh(runs);
  using _watch = cancellations.watch(runs);
  const { malformed, fresh, toSplit, poisonCandidates } = withoutCancelled(triaged, cancellations);
  const acks = new AckTracker(records, dependencies.destinations, dependencies.telemetry);
  const withoutCrashFailure = await writeCrashFailuresAhead([...toSplit, ...poisonCandidates], dependencies);
  await Promise.all([
    ...malformed.map(({ record, why }) => acks.ackWhen(record, rejectMessage(record, why, dependencies))),
    ...toSplit.map((read) => acks.ackWhen(read.record, splitMessage(read, dependencies))),
  ]);
  await isolateRedelivered(poisonCandidates, withoutCrashFailure, dependencies, acks, deadline);
  await acks.deleteAcknowledged();
  await processFresh(fresh, dependencies, acks, deadline);
  if (jobGuard.isBusy) {
    // A count must not hold up what is done, and the process is frozen once this returns.
    await acks.deleteAcknowledged();
    await jobGuard.finish(Math.min(GUARD_FINISH_MS, deadline.msLeft()));
  }
  return acks.unacknowledged();
}

/** What is left of a cancelled job is only acknowledged, whatever it did to a worker before. */
function withoutCancelled(triaged: TriagedRecords, cancellations: Cancellations): TriagedRecords {
  const isCancelled = ({ message }: ParsedRecord) => cancellations.isCancelled(message);
  const wanted = (read: ParsedRecord) => !isCancelled(read);
  return {
    malformed: triaged.malformed,
    fresh: [...triaged.fresh, ...triaged.toSplit.filter(isCancelled), ...triaged.poisonCandidates.filter(isCancelled)],
    toSplit: triaged.toSplit.filter(wanted),
    poisonCandidates: triaged.poisonCandidates.filter(wanted),
  };
}

/** The body goes to the DLQ as it came: someone may still recognize it. */
async function rejectMessage(
  { body, messageId }: SQSRecord,
  { reason, expected }: MalformedMessage,
  { destinations: { sqs, deadLetterQueueUrl }, telemetry }: WorkerDependencies,
): Promise<void> {
  await sendMessages(sqs, deadLetterQueueUrl, [{ body, attributes: { reason } }]);
  telemetry.malformed(messageId, expected);
}

/** A message being worked on: it is settled once each of its images has an outcome. */
type MessageInWork = ParsedRecord & { outcomes: Map<ImageRef, ImageOutcome> };
type ImageInWork = ImageToClassify & { image: ImageRef; work: MessageInWork };

/** Settles each message as soon as its last image is done, while the others go on. */
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
  const settleIfComplete = (work: MessageInWork) => {
    if (work.outcomes.size < work.message.images.length) return;
    settling.push(acks.ackWhen(work.record, settleMessage(work, work.outcomes, dependencies)));
    const run = runName(work.message);
    const left = (messagesLeft.get(run) ?? 0) - 1;
    messagesLeft.set(run, left);
    // The last lines of a job must not wait for another job's slow hosts.
    if (left === 0) destinations.parts.flush(work.message);
  };
  const images: ImageInWork[] = [];
  for (const read of fresh) {
    const work: MessageInWork = { ...read, outcomes: new Map() };
    const isCancelled = () => dependencies.cancellations.isCancelled(read.message);
    const isLastChance = !maySendOn(read.message);
    for (const image of read.message.images) {
      images.push({ url: image.url, group: read.message.job, isLastChance, isCancelled, image, work });
    }
    settleIfComplete(work);
  }
  const onOutcome = ({ image, work }: ImageInWork, outcome: ImageOutcome) => {
    work.outcomes.set(image, outcome);
    dependencies.workTime.spentOn(runName(work.message));
    settleIfComplete(work);
  };
  await classifyImages(images, pipeline, deadline.signal, onOutcome, telemetry);
  destinations.parts.flush();
  await Promise.all(settling);
}
