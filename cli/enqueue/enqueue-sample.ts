import { randomInt } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { ImageOutcome, Pipeline } from '../../shared/classifier/classify-images.ts';
import { PutOff } from '../../shared/classifier/put-off.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import { uploadPrefix } from '../../shared/contract/object-keys.ts';
import { classifiedLine, type FailureLine, failureLine, type ResultLine } from '../../shared/contract/result-line.ts';
import { parseS3Prefix } from '../../shared/contract/urls.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { type PreflightResult, scannedImages } from '../../shared/jobs/preflight.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import { readImageFile } from '../image-file.ts';
import { demoTable } from '../local/demo-table.ts';
import { type ModelOptions, modelEnvironment } from '../options.ts';
import type { Shelf, Thumbnail } from '../report/gallery.ts';
import { isReport } from '../report/mark.ts';
import { EXIT } from '../terminal/exit-codes.ts';
import { writeOutput } from '../terminal/output-file.ts';
import { startProgress } from '../terminal/progress.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { createWorkFolder } from '../terminal/work-folder.ts';
import type { NotInRows } from './enqueue-not-in.ts';
import type { EnqueueSources } from './enqueue-sources.ts';
import { sampleImages } from './sample-images.ts';

/** Seeds that are not given are short enough to be typed. */
const DRAWN_SEEDS = 10_000;
const MAX_SHELVES = 12;
const THUMBNAILS_PER_SHELF = 8;

export type SampleOptions = ModelOptions & {
  sample?: number;
  seed?: number;
  report?: string;
  allowHost?: string[];
  json?: true;
};

/**
 * Refuses what only a sample takes: workers have their own models and rules for addresses.
 *
 * @throws {CommandError}
 */
export function refuseWithoutSample(options: SampleOptions & { sameModel?: true }): void {
  const { sample, seed, report, allowHost, model, trustModel, sameModel } = options;
  if (sample !== undefined) return;
  const given = { '--seed': seed, '--report': report, '--allow-host': allowHost };
  const ofModel = sameModel ? {} : { '--model': model, '--trust-model': trustModel };
  const [name] = Object.entries({ ...given, ...ofModel }).find(([, value]) => value !== undefined) ?? [];
  if (name === undefined) return;
  throw new CommandError(`${name} is for --sample; workers are told when they are started or deployed, not by enqueue`);
}

export type SampleOf = { sources: EnqueueSources; kept: NotInRows; target: JobTarget };

/** Labels some images of a job that is not sent, by the worker's own stages, and shows what came of them. */
export async function labelSample(
  job: string,
  found: PreflightResult,
  of: SampleOf,
  options: SampleOptions,
): Promise<void> {
  const { sample = 1, seed = randomInt(DRAWN_SEEDS) } = options;
  const began = new Date();
  const images = await sampleImages(scannedImages(of.kept.rows(), found), sample, seed);
  const labeled = await label(images, of, options);
  const lines = linesOf(job, images, labeled.outcomes, labeled.pipeline);
  const file = options.report ?? `sample-${job}.html`;
  const source = of.sources.all.map(({ name }) => name).join(' ');
  await writePage(file, lines, await shelvesOf(lines.results, labeled.thumbnails), describe(job, source, began, lines));
  const failed = lines.failures.length;
  if (options.json) {
    const document = { job, images: found.images, sample: images.length, seed, failed, report: file };
    print(`${JSON.stringify({ ...document, results: lines.results, failures: lines.failures })}\n`);
  } else {
    print(`${tableOf(images, lines)}\n`);
    print(`${images.length} of ${found.images} images, ${failed} failed; nothing was sent\n`);
  }
  printNote(`${visibleLine(file)}: the same as a page; --seed ${seed} takes these images again\n`);
  if (failed > 0) process.exitCode = EXIT.finishedWithFailures;
}

type Labeled = {
  outcomes: ReadonlyMap<ImageRef, ImageOutcome>;
  thumbnails: ReadonlyMap<string, Promise<Buffer | ImageFailure>>;
  pipeline: Pipeline;
};

async function label(images: readonly ImageRef[], of: SampleOf, options: SampleOptions): Promise<Labeled> {
  // Only now: TensorFlow takes its time to load, and a job that is sent needs none of it.
  const { createPipeline } = await import('../../shared/classifier/pipeline.ts');
  const { classifyImages } = await import('../../shared/classifier/classify-images.ts');
  const { makeThumbnail } = await import('../../shared/classifier/decode/thumbnail.ts');
  const pipeline = await createPipeline(settingsFor(of.sources, options), of.target.s3);
  for (const note of pipeline.classifier.notes) printNote(`${note}\n`);
  const outcomes = new Map<ImageRef, ImageOutcome>();
  const thumbnails = new Map<string, Promise<Buffer | ImageFailure>>();
  const progress = startProgress('labeled', images.length);
  const fetch: Pipeline['fetch'] = async (url, signal) => {
    const path = await localPath(url, of);
    const bytes = path === undefined ? await pipeline.fetch(url, signal) : await readImageFile(path);
    // Made of the same bytes: no server is asked twice.
    if (Buffer.isBuffer(bytes)) thumbnails.set(url, makeThumbnail(bytes));
    return bytes;
  };
  const onOutcome = (image: ImageRef, outcome: ImageOutcome) => {
    outcomes.set(image, outcome);
    progress.update(outcomes.size);
  };
  try {
    await classifyImages(images, { ...pipeline, fetch }, { onOutcome });
    await Promise.all(thumbnails.values());
  } finally {
    progress.stop();
    await pipeline.close();
  }
  return { outcomes, thumbnails, pipeline };
}

function settingsFor({ all }: EnqueueSources, { allowHost, ...model }: SampleOptions) {
  const buckets = all.flatMap(({ name }) => parseS3Prefix(name)?.bucket ?? []);
  return classifierSettingsFrom({
    ...process.env,
    ...modelEnvironment(model),
    // A bucket that is named as a source is meant.
    SOURCE_BUCKETS: [process.env['SOURCE_BUCKETS'], ...buckets].join(','),
    ...(allowHost !== undefined && { ALLOWED_HOSTS: allowHost.join(',') }),
  });
}

/** Where an image of a folder lies that was not uploaded; undefined for all others. */
async function localPath(url: string, { sources, target }: SampleOf): Promise<string | undefined> {
  const folders = sources.all.filter(({ format }) => format === 'folder');
  const name = folders.length === 0 ? undefined : nameInFolder(url, target.resultsBucket);
  if (name === undefined) return undefined;
  for (const { name: folder } of folders) if (await isFile(join(folder, name))) return join(folder, name);
  return undefined;
}

function nameInFolder(url: string, bucket: string): string | undefined {
  const uploaded = new RegExp(`^s3://${RegExp.escape(bucket)}/${uploadPrefix('[^/]+')}(?<name>.+)$`, 's');
  return uploaded.exec(url)?.groups?.['name'];
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

type Lines = { results: ResultLine[]; failures: FailureLine[] };

function linesOf(job: string, images: readonly ImageRef[], outcomes: Labeled['outcomes'], pipeline: Pipeline): Lines {
  const lines: Lines = { results: [], failures: [] };
  for (const image of images) {
    const origin = { job, image, attempt: 1, at: new Date() };
    const given = outcomes.get(image);
    const outcome = given instanceof PutOff ? given.toFailure() : given;
    if (outcome instanceof ImageFailure) lines.failures.push(failureLine(origin, outcome.report()));
    else if (typeof outcome === 'object' && 'labels' in outcome) {
      lines.results.push(classifiedLine(origin, outcome, pipeline.classifier.id));
    }
  }
  return lines;
}

function tableOf(images: readonly ImageRef[], { results, failures }: Lines): string {
  const byId = <Line extends { id: string }>(lines: Line[]) => new Map(lines.map((line) => [line.id, line]));
  return demoTable(images, { results: byId(results), failures: byId(failures) });
}

async function shelvesOf(results: readonly ResultLine[], thumbnails: Labeled['thumbnails']): Promise<Shelf[]> {
  const shelves = new Map<string, Thumbnail[]>();
  const surestFirst = results.toSorted((one, other) => (other.labels[0]?.score ?? 0) - (one.labels[0]?.score ?? 0));
  for (const { id, url, labels } of surestFirst) {
    const small = await thumbnails.get(url);
    const [best] = labels;
    if (best === undefined || small === undefined || small instanceof ImageFailure) continue;
    const shelf = shelves.get(best.label) ?? [];
    const source = `data:image/webp;base64,${small.toString('base64')}`;
    if (shelf.length < THUMBNAILS_PER_SHELF) shelf.push({ id, score: best.score, source });
    shelves.set(best.label, shelf);
  }
  const byNumber = [...shelves].toSorted(([, one], [, other]) => other.length - one.length).slice(0, MAX_SHELVES);
  return byNumber.map(([label, thumbnails]) => ({ label, thumbnails }));
}

/** The sample as a job of its own, which is complete. */
function describe(job: string, source: string, began: Date, { results, failures }: Lines): JobDescription {
  const images = results.length + failures.length;
  const numbers = { perMessage: 100, images, sent: images, messages: 0 };
  const at = began.toISOString();
  return { v: 1, job, state: 'enqueued', source, sourceDigest: '', ...numbers, startedAt: at, updatedAt: at };
}

async function writePage(file: string, lines: Lines, gallery: Shelf[], description: JobDescription): Promise<void> {
  const { OutcomeDatabase } = await import('../export/outcome-database.ts');
  const { summarize } = await import('../export/summarize.ts');
  const { MeasuredTime } = await import('../../shared/jobs/measured-time.ts');
  const { timelineOf } = await import('../report/report-data.ts');
  const { reportPage } = await import('../report/page.ts');
  using folder = await createWorkFolder();
  await using database = await OutcomeDatabase.create(folder.path);
  for (const kind of ['failures', 'results'] as const) {
    const path = join(folder.path, `${kind}.jsonl`);
    await writeFile(path, lines[kind].map((line) => `${JSON.stringify(line)}\n`).join(''));
    await database.load(kind, [path]);
  }
  const repeatedLines = await database.countImagesOnce();
  const job = `a sample of ${description.job}`;
  // Nobody works for the sample but this machine: the page has what Lambda would cost.
  const time = new MeasuredTime();
  time.add({ time: undefined, lines: description.images });
  const of = { job, description, cancelled: false, repeatedLines, time, version: packageJson.version, now: new Date() };
  const page = await reportPage({
    summary: await summarize(database, of),
    timeline: await timelineOf(database),
    gallery,
  });
  await writeOutput({ path: file, force: false, isOwn: isReport }, folder.path, (path) => writeFile(path, page));
}
