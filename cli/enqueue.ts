import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_IMAGES_PER_MESSAGE, MAX_IMAGES_PER_MESSAGE } from '../shared/contract/limits.ts';
import { SettingsError } from '../shared/contract/settings.ts';
import { defaultJobName } from '../shared/jobs/default-job-name.ts';
import { enqueue, newJob, resumedFrom, resumeProblem } from '../shared/jobs/enqueue.ts';
import { readJob } from '../shared/jobs/job-store.ts';
import { createJobTarget, type JobTarget } from '../shared/jobs/job-target.ts';
import { type Survey, survey, surveyedImages } from '../shared/jobs/survey.ts';
import { counted } from './counted.ts';
import { dryRunText } from './dry-run-text.ts';
import { type EnqueueSources, openSources, type SourceOptions } from './enqueue-sources.ts';
import { CommandError } from './expected-failures.ts';
import { interruptible, sameCommand, untilAborted } from './interruption.ts';
import { InvalidRows } from './invalid-rows.ts';
import { targetFromEnvironment } from './job-target.ts';
import { jobName, jsonOption, repeated, share, wholeNumber } from './options.ts';
import { type Progress, startProgress } from './progress.ts';
import { sourcesText } from './source-text.ts';
import { print, printNote } from './terminal.ts';

type Options = SourceOptions & {
  job?: string;
  perMessage: number;
  resume?: true;
  skipInvalid?: true;
  dryRun?: true;
  maxFailureRate?: number;
  json?: true;
};

export function enqueueCommand(): Command {
  return new Command('enqueue')
    .description('Puts images on the queue, after checking all of them.')
    .argument(
      '<source...>',
      'files of URLs or JSON lines, .csv, .tsv or .parquet (each also .gz or .zst), - for standard input, a folder, or s3://bucket/prefix/',
    )
    .option('--job <name>', "the job's name (default: made from the source's name and the time)", jobName)
    .option(
      '--per-message <n>',
      `images a message, 1 to ${MAX_IMAGES_PER_MESSAGE}`,
      wholeNumber(1, MAX_IMAGES_PER_MESSAGE),
      DEFAULT_IMAGES_PER_MESSAGE,
    )
    .addOption(
      new Option('--format <format>', 'of files, whatever their names are').choices(['lines', 'csv', 'tsv', 'parquet']),
    )
    .option('--encoding <label>', 'of text, e.g. windows-1252 or shift_jis (default: UTF-8, or UTF-16 where it shows)')
    .option('--delimiter <character>', 'of a table, or "tab" (default: the one that its header line shows)', delimiter)
    .option('--url-column <name>', 'of a table (default: url, image_url, imagelink, … that holds URLs)')
    .option(
      '--id-column <name>',
      'of a table; the column of the URL for no other id (default: id, else the URL is the id)',
    )
    .option('--meta', 'the other columns of a table become meta, which comes back in the result lines')
    .option(
      '--include <glob>',
      'names under a folder or prefix that are meant; may be repeated (default: images)',
      repeated,
    )
    .option('--exclude <glob>', 'names under a folder or prefix that are not meant; may be repeated', repeated)
    .option(
      '--skip-invalid',
      'write the rows that name no image to a file that can be fixed and enqueued, and send the others',
    )
    .option(
      '--max-failure-rate <share>',
      'the job cancels itself once this share of 200 or more outcomes failed',
      share,
    )
    .option('--resume', 'go on with a job that was interrupted: sends only what was not sent')
    .option(
      '--dry-run',
      'send nothing; report counts, hosts, how the source was read and what it will cost; needs no AWS',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nNeeds --stack, or QUEUE_URL, DEAD_LETTER_QUEUE_URL and RESULTS_BUCKET; `labelqueue local` prints them.',
    )
    .action(run);
}

async function run(names: string[], options: Options): Promise<void> {
  const target = options.dryRun ? targetOfDryRun() : targetFromEnvironment();
  const job = options.job ?? defaultJobName(names[0] ?? '', new Date());
  if (options.resume && options.job === undefined) throw new CommandError('--resume needs --job, to know which');
  const send = interruptibleSending(job, options);
  await using sources = await openSources(names, options, target, job);
  const found = await surveyed(sources, job, options, send.signal);
  if (options.dryRun) {
    print(dryRunText(job, found, sources.all, options));
    return;
  }
  const before = await readJob(target, job);
  const problem = resumeProblem(before, found.digest, options.resume === true, '--resume it');
  if (problem !== undefined) throw new CommandError(problem);
  if (before?.state === 'enqueued') return report(job, before, found, options);

  printNote(sourcesText(sources.all, found.first));
  const uploaded = await sources.upload();
  if (uploaded > 0) printNote(`uploaded ${counted(uploaded, 'file')}\n`);
  const { perMessage, maxFailureRate } = options;
  const plan = newJob({
    job,
    source: names.join(' '),
    sourceDigest: found.digest,
    perMessage,
    images: found.images,
    ...(maxFailureRate !== undefined && { maxFailureRate }),
  });
  const images = untilAborted(surveyedImages(sources.rows(), found), send.signal);
  const progress = send.started(found.images);
  const enqueued = await enqueue(target, images, resumedFrom(before, plan), progress.update).finally(progress.stop);
  report(job, enqueued, found, options);
}

/** What is printed when it is interrupted: what was sent, and the command that sends the others. */
function interruptibleSending(job: string, { job: given, resume }: Options) {
  const name = given === undefined ? ['--job', job] : [];
  let state = 'nothing was sent';
  let added = name;
  const signal = interruptible(() => `interrupted: ${state}; continue with: ${sameCommand(...added)}`);
  return {
    signal,
    /** The progress of sending so many images. */
    started(images: number): Progress {
      const progress = startProgress('enqueued', images);
      added = resume ? name : [...name, '--resume'];
      const update: Progress['update'] = (sent, note) => {
        state = `${sent} of ${counted(images, 'image')} sent`;
        progress.update(sent, note);
      };
      update(0);
      return { ...progress, update };
    },
  };
}

type Found = Survey & { invalidFiles: string[] };

async function surveyed(
  sources: EnqueueSources,
  job: string,
  { perMessage, skipInvalid, dryRun }: Options,
  signal: AbortSignal,
): Promise<Found> {
  const invalid = new InvalidRows({ job, sources: sources.all, keep: skipInvalid === true && !dryRun });
  const found = await survey(untilAborted(sources.rows(), signal), { job, perMessage }, (row) => {
    if (sources.current !== undefined) invalid.add(row, sources.current);
  });
  const invalidFiles = invalid.close();
  if (found.invalid > 0 && !skipInvalid) {
    printNote(sourcesText(sources.all, found.first));
    throw new CommandError(
      `${found.invalid === 1 ? '1 row names' : `${found.invalid} rows name`} no image, so nothing was sent; --skip-invalid writes them to a file and sends the others`,
    );
  }
  if (found.images === 0) {
    const howRead = sourcesText(sources.all, undefined).trimEnd();
    throw new CommandError(`expected at least one image, the source has none\n${howRead}`);
  }
  return { ...found, invalidFiles };
}

/** It sends nothing, so it goes on without settings; only what lies in S3 needs AWS. */
function targetOfDryRun(): JobTarget {
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

/** For commander. */
function delimiter(text: string): string {
  const character = text === 'tab' || text === '\\t' ? '\t' : text;
  if (/^[^"\r\n]$/.test(character)) return character;
  throw new InvalidArgumentError('Expected one character that is not a quote, or "tab".');
}

function report(
  job: string,
  { images, messages }: { images: number; messages: number },
  { repetitions, invalid, invalidFiles }: Found,
  { json }: Options,
): void {
  if (json) {
    print(`${JSON.stringify({ job, images, messages, repetitions, invalid, invalidFiles })}\n`);
    return;
  }
  const leftOut = repetitions === 0 ? '' : `; ${counted(repetitions, 'exact repetition')} left out`;
  const skipped = invalid === 0 ? '' : `; ${counted(invalid, 'invalid row')} in ${invalidFiles.join(' and ')}`;
  print(`job ${job}: ${counted(images, 'image')} in ${counted(messages, 'message')}${leftOut}${skipped}\n`);
}
