import { CopyObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import { type JobRun, newRun, runField } from '../../shared/contract/job-run.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { orderKey, type PartKind, partKey } from '../../shared/contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import { OWN_MACHINE, thisMachine, WORK_MACHINE_VARIABLE } from '../../shared/contract/worker-time.ts';
import { createJob, isCancelled, readJob, writeJob, writeNewestRun } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { latestParts, type Part } from '../../shared/jobs/list-parts.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { hasFiles, purgeJob } from '../../shared/jobs/purge-job.ts';
import { readObject } from '../../shared/jobs/read-object.ts';
import { sampledLines } from '../../shared/jobs/sample-parts.ts';
import { orderKeys } from '../../shared/jobs/source-order.ts';
import { unfinishedNote } from '../export/export-command.ts';
import { completeness } from '../export/summarize.ts';
import { targetFromEnvironment } from '../jobs/job-target.ts';
import { commandName } from '../terminal/command-name.ts';
import { counted } from '../terminal/counted.ts';
import { interruptible } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';
import { printNote } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { CopiedImages } from './copied-images.ts';
import { eachPart } from './each-part.ts';
import { failureLinesIn } from './failure-lines.ts';
import type { LineRelabeler } from './line-relabeler.ts';

export type Relabeling = {
  job: string;
  newJob: string;
  relabeler: LineRelabeler;
  /** Called when everything is read; throws if the outcomes cannot be used. */
  checkRead: () => void;
};

/**
 * Writes the new results of a job as another job: its part files, the failures as they were, its description and the
 * order of its images. All commands for jobs work on it.
 *
 * @throws {CommandError} when there is a job of that name
 * @throws {NoSuchJobError}
 */
export async function writeRelabeledJob(relabeling: Relabeling): Promise<void> {
  const { job, newJob } = relabeling;
  const target = targetFromEnvironment();
  interruptible(() => `interrupted: ${newJob} is not complete; \`${commandName()} purge ${newJob}\` removes it`);
  const taken = new CommandError(`the job ${newJob} already exists; choose another name, or purge it`);
  if (await hasFiles(target, newJob)) throw taken;
  const earlier = await readJob(target, job);
  const from: JobRun = { job, ...runField(earlier?.run) };
  const cancelled = await isCancelled(target, from);
  const total = await linesOf(target, from);
  if (earlier === undefined && total === 0) throw new NoSuchJobError(target, job);
  const to = { job: newJob, run: newRun() };
  const describe = descriptionsOf(to, `relabel ${job}`, earlier?.perMessage);
  using copied = new CopiedImages();
  // Another command may have started a job of that name, which must not be overwritten or purged.
  if (!(await createJob(target, describe('enqueuing', copied)))) throw taken;
  try {
    await writeNewestRun(target, to);
    await copyParts(target, { from, to }, relabeling, copied, total);
    await copyOrder(target, from, to);
    await writeJob(target, describe('enqueued', copied));
  } catch (error) {
    // A partial job would block the name for the next try.
    await purgeJob(target, newJob).catch(() => undefined);
    throw error;
  }
  printNote(notesOf(relabeling, copied, { description: earlier, cancelled }));
}

/** Notes about the new job and its source job. */
function notesOf(
  { job, newJob, relabeler }: Relabeling,
  { images, classified, failed, unreadable }: CopiedImages,
  earlier: { description: JobDescription | undefined; cancelled: boolean },
): string {
  // Images whose outcome was left out have an outcome, too.
  const outcomes = { classified: classified + relabeler.withoutEmbedding, failed: failed + unreadable };
  const state = completeness(earlier, outcomes);
  const { description } = earlier;
  const unfinished = unfinishedNote({
    job,
    state,
    images: { ...outcomes, ...(description && { enqueued: description.images }) },
  });
  return [
    ...(unfinished === undefined ? [] : [unfinished]),
    ...(unreadable === 0 ? [] : [`${counted(unreadable, 'malformed failure line')} skipped`]),
    `${counted(images, 'image')} in the job ${newJob}; to export them: ${commandName()} results ${newJob}`,
  ]
    .map((note) => `${note}\n`)
    .join('');
}

async function linesOf(target: JobTarget, of: JobRun): Promise<number> {
  const kinds = await Promise.all((['results', 'failures'] as const).map((kind) => sampledLines(target, kind, of)));
  return kinds.reduce((sum, { lines }) => sum + lines, 0);
}

type NewRun = { job: string; run: string };

/** The contents of `job.json` for each state of the job. */
function descriptionsOf(to: NewRun, source: string, perMessage = DEFAULT_IMAGES_PER_MESSAGE) {
  const startedAt = new Date().toISOString();
  return (state: JobDescription['state'], { images, idSum }: CopiedImages): JobDescription => ({
    v: 1,
    ...to,
    state,
    source,
    sourceDigest: '',
    perMessage,
    images,
    sent: images,
    messages: 0,
    ...(state === 'enqueued' && { idSum }),
    startedAt,
    updatedAt: new Date().toISOString(),
  });
}

type Line = ResultLine | FailureLine;

async function copyParts(
  target: JobTarget,
  { from, to }: { from: JobRun; to: NewRun },
  { relabeler, checkRead }: Relabeling,
  copied: CopiedImages,
  total: number,
): Promise<void> {
  const progress = startProgress('relabeled', total);
  let done = 0;
  const copy = async (kind: PartKind, read: (part: Part) => Promise<Line[]>) => {
    const copyPart = async (part: Part) => {
      const lines = (await read(part)).map((line) => ({ ...line, ...to }));
      copied.add(kind, lines);
      await writePart(target, kind, to, lines);
      done += part.lines;
      progress.update(Math.min(done, total));
    };
    await eachPart(latestParts(target, kind, from), copyPart);
  };
  const contentOf = ({ key }: Part) => readObject(target.s3, target.resultsBucket, key);
  try {
    await copy('results', async (part) => relabeler.relabel(await contentOf(part)));
    checkRead();
    await copy('failures', async (part) => copied.readable(failureLinesIn(await contentOf(part))));
  } finally {
    progress.stop();
  }
}

async function writePart(
  { s3, resultsBucket }: JobTarget,
  kind: PartKind,
  to: JobRun,
  lines: readonly (ResultLine | FailureLine)[],
): Promise<void> {
  if (lines.length === 0) return;
  // No worker spent time on it.
  const time = { ...thisMachine({ [WORK_MACHINE_VARIABLE]: OWN_MACHINE }, process.arch), milliseconds: 0 };
  await s3.send(
    new PutObjectCommand({
      Bucket: resultsBucket,
      Key: partKey(kind, to, lines, time),
      Body: `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`,
      ContentType: 'application/x-ndjson',
    }),
  );
}

async function copyOrder(target: JobTarget, from: JobRun, to: JobRun): Promise<void> {
  const { s3, resultsBucket: Bucket } = target;
  for (const [file, key] of (await orderKeys(target, from)).sort().entries()) {
    const CopySource = encodeURI(`${Bucket}/${key}`);
    await s3.send(new CopyObjectCommand({ Bucket, Key: orderKey(to, file), CopySource }));
  }
}
