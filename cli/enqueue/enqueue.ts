import { parseStageWorkers } from '../../shared/contract/stage-workers.ts';
import { defaultJobName } from '../../shared/jobs/default-job-name.ts';
import {
  type EarlierTry,
  type EnqueuePlan,
  enqueue,
  newJob,
  readEarlierTry,
  resumedFrom,
  resumeProblem,
} from '../../shared/jobs/enqueue.ts';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { type PreflightResult, preflight, scannedImages } from '../../shared/jobs/preflight.ts';
import { SettingsError } from '../../shared/settings.ts';
import { targetFromEnvironment } from '../jobs/job-target.ts';
import { WORKERS_VARIABLE } from '../stack-variables.ts';
import { counted } from '../terminal/counted.ts';
import { untilAborted } from '../terminal/interruption.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { dryRunText } from './dry-run-text.ts';
import { leftOutText, type NotInOptions, type NotInRows, withoutClassified } from './enqueue-not-in.ts';
import { assertSampleOptions, labelSample, type SampleOptions } from './enqueue-sample.ts';
import { checkSourcesExist, type EnqueueSources, openSources, type SourceOptions } from './enqueue-sources.ts';
import { type InterruptibleSending, interruptibleSending } from './interruptible-sending.ts';
import { InvalidRows } from './invalid-rows.ts';
import { sourcesText } from './source-text.ts';

type Options = SourceOptions &
  NotInOptions &
  SampleOptions & {
    job?: string;
    perMessage?: number;
    resume?: true;
    skipInvalid?: true;
    dryRun?: true;
    maxFailureRate?: number;
    maxCost?: number;
    notify?: string;
    json?: true;
  };

/** Checks the rows of the sources, then sends them, labels a sample of them or prints what it would send. */
export async function enqueueSources(names: string[], options: Options): Promise<void> {
  assertSampleOptions(options);
  await checkSourcesExist(names);
  const sends = !options.dryRun && options.sample === undefined;
  const target = sends || options.notIn !== undefined ? targetFromEnvironment() : targetWithoutSettings();
  if (sends) assertAnnounced(options.notify, target);
  const job = options.job ?? defaultJobName(names[0] ?? '', new Date());
  if (options.resume && options.job === undefined) throw new CommandError('--resume requires --job');
  const sending = interruptibleSending(job, options);
  // Read before the rows, to leave out the same ones; otherwise invalid rows are reported first.
  const earlier = sends && options.resume ? await readEarlierTry(target, job) : undefined;
  await using sources = await openSources(names, options, target, job);
  const newRows = await withoutClassified(target, sources, options, earlier?.description);
  const found = await surveyed({ sources, newRows, job, earlier, signal: sending.signal }, options);
  if (found.images === 0) reportNothing(job, found, options);
  else if (options.sample !== undefined) await labelSample(job, found, { sources, newRows, target }, options);
  else if (options.dryRun) {
    const workers = parseStageWorkers(process.env[WORKERS_VARIABLE]);
    print(dryRunText(job, found, sources.all, { ...options, workers }));
  } else await send(target, { job, source: names.join(' '), sources, newRows, found, earlier, sending }, options);
}

type ToSend = {
  job: string;
  source: string;
  sources: EnqueueSources;
  newRows: NotInRows;
  found: Found;
  earlier: EarlierTry | undefined;
  sending: InterruptibleSending;
};

async function send(target: JobTarget, toSend: ToSend, options: Options): Promise<void> {
  const { job, sources, newRows, found, sending } = toSend;
  const earlier = toSend.earlier ?? (await readEarlierTry(target, job));
  const problem = resumeProblem(earlier, found.digest, options.resume === true, `--resume it, or purge ${job} first`);
  if (problem !== undefined) throw new CommandError(problem);
  const before = earlier?.description;
  if (before?.state === 'enqueued') return report(job, before, found, { ...options, sentBefore: true });

  printNote(sourcesText(sources.all, found.first));
  const uploaded = await sources.upload();
  if (uploaded > 0) printNote(`uploaded ${counted(uploaded, 'file')}\n`);
  const plan = resumedFrom(before, planOf(toSend, options));
  const images = untilAborted(scannedImages(newRows.rows(), found), sending.signal);
  const progress = sending.started(found.images);
  const enqueued = await enqueue(target, images, plan, progress.update).finally(progress.stop);
  report(job, enqueued, found, options);
}

/** The function that detects the end of a job and calls its webhook is configured with the queue. */
function assertAnnounced(notify: string | undefined, { jobEndQueueUrl }: Pick<JobTarget, 'jobEndQueueUrl'>): void {
  if (notify === undefined || jobEndQueueUrl !== undefined) return;
  throw new CommandError('--notify requires job events: set "jobEvents" in the stage file, or JOB_END_QUEUE_URL');
}

function planOf(
  { job, source, found, newRows: { notIn } }: ToSend,
  { maxFailureRate, maxCost, notify }: Options,
): EnqueuePlan {
  return newJob({
    job,
    source,
    sourceDigest: found.digest,
    perMessage: found.perMessage,
    images: found.images,
    ...(maxFailureRate !== undefined && { maxFailureRate }),
    ...(maxCost !== undefined && { maxCostUsd: maxCost }),
    ...(notify !== undefined && { notify }),
    ...(notIn !== undefined && { notIn }),
  });
}

type Found = PreflightResult & Pick<NotInRows, 'known' | 'notIn'> & { invalidFiles: string[] };

async function surveyed(
  { sources, newRows, job, earlier, signal }: Omit<ToSend, 'source' | 'found' | 'sending'> & { signal: AbortSignal },
  { perMessage = earlier?.description.perMessage, skipInvalid, dryRun, sample }: Options,
): Promise<Found> {
  const invalid = new InvalidRows({
    job,
    sources: sources.all,
    keep: skipInvalid === true && !dryRun && sample === undefined,
  });
  const found = await preflight(untilAborted(newRows.rows(), signal), { job, perMessage }, (row) => {
    if (sources.current !== undefined) invalid.add(row, sources.current);
  });
  const invalidFiles = invalid.close();
  if (found.invalid > 0 && !skipInvalid) {
    printNote(sourcesText(sources.all, found.first));
    throw new CommandError(
      `${counted(found.invalid, 'invalid row')}; nothing was sent. Use --skip-invalid to save them to a file and send the rest`,
    );
  }
  if (found.images === 0 && newRows.known === 0) {
    const howRead = sourcesText(sources.all, undefined).trimEnd();
    throw new CommandError(`expected at least one image, the source has none\n${howRead}`);
  }
  const { known, notIn } = newRows;
  return { ...found, known, notIn, invalidFiles };
}

/** For a dry run, which sends nothing and works without settings; only sources in S3 need AWS. */
function targetWithoutSettings(): JobTarget {
  try {
    return targetFromEnvironment();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const none = {
      queueUrl: '',
      deadLetterQueueUrl: '',
      resultsBucket: process.env['RESULTS_BUCKET'] || 'RESULTS_BUCKET',
    };
    return createJobTarget(none, {});
  }
}

function report(
  job: string,
  { images, messages }: { images: number; messages: number },
  found: Found,
  { json, sentBefore = false }: Options & { sentBefore?: boolean },
): void {
  const { duplicates, invalid, invalidFiles } = found;
  const counts = found.notIn === undefined ? {} : { leftOut: found.known };
  if (json) {
    print(`${JSON.stringify({ job, images, messages, duplicates, invalid, invalidFiles, ...counts })}\n`);
    return;
  }
  const sent = `${counted(images, 'image')} in ${counted(messages, 'message')}`;
  const repeated = duplicates === 0 ? '' : `; ${counted(duplicates, 'exact duplicate')} left out`;
  const skipped = invalid === 0 ? '' : `; ${counted(invalid, 'invalid row')} in ${invalidFiles.join(' and ')}`;
  print(
    `job ${job}: ${sentBefore ? `already enqueued: ${sent}, nothing sent` : sent}${repeated}${skipped}${leftOutText(found)}\n`,
  );
}

/** All images were classified before. That is not a failure: a growing list may be enqueued every night. */
function reportNothing(job: string, found: Found, options: Options): void {
  if (options.json) report(job, { images: 0, messages: 0 }, found, options);
  else print(`job ${job}: nothing to send; the job was not created${leftOutText(found)}\n`);
}
