import type { JobDescription, NotIn } from '../../shared/contract/job-description.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { allParts } from '../../shared/jobs/list-parts.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';
import { localModel } from '../local-model.ts';
import type { ModelOptions } from '../options.ts';
import { startProgress } from '../terminal/progress.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { ClassifiedUrls, notClassified } from './classified-urls.ts';
import type { EnqueueSources } from './enqueue-sources.ts';

export type NotInOptions = ModelOptions & { notIn?: string[]; sameModel?: true };

/** The rows of the sources without those that other jobs have classified. */
export type NotInRows = {
  rows(): AsyncIterable<SourceRow>;
  /** Number of rows that the last reading left out. */
  known: number;
  /** Stored with the job, so that it can be resumed; undefined without `--not-in`. */
  notIn: NotIn | undefined;
};

/**
 * @param before the stored job when it is resumed: the same rows are left out again
 * @throws {CommandError}
 */
export async function withoutClassified(
  target: JobTarget,
  sources: EnqueueSources,
  options: NotInOptions,
  before: JobDescription | undefined,
): Promise<NotInRows> {
  const selection = before?.notIn ?? (await notInOf(options));
  if (selection === undefined) return { rows: () => sources.rows(), known: 0, notIn: undefined };
  assertNoFolders(sources);
  for (const job of selection.jobs) await expectResultsOf(target, job);
  const until = selection.until === undefined ? undefined : new Date(selection.until);
  const total = await enqueuedIn(target, selection.jobs);
  const progress = startProgress('read results', total);
  const urls = await ClassifiedUrls.read(target, { ...selection, until }, (lines) =>
    progress.update(Math.min(lines, total)),
  ).finally(progress.stop);
  const newRows: NotInRows = {
    known: 0,
    notIn: { ...selection, until: selection.until ?? urls.until.toISOString() },
    rows() {
      newRows.known = 0;
      return notClassified(sources.rows(), urls, () => newRows.known++);
    },
  };
  return newRows;
}

/** E.g. `; 12345 left out: classified in cats and dogs`. */
export function leftOutText({ known, notIn }: Pick<NotInRows, 'known' | 'notIn'>): string {
  if (notIn === undefined) return '';
  const jobs = new Intl.ListFormat('en').format(notIn.jobs);
  return `; ${known} left out: classified in ${jobs}`;
}

type NotInSelection = Omit<NotIn, 'until'> & { until?: string };

async function notInOf({ notIn, sameModel, ...model }: NotInOptions): Promise<NotInSelection | undefined> {
  if (notIn === undefined) {
    if (sameModel) throw new CommandError('--same-model requires --not-in');
    return undefined;
  }
  const jobs = [...new Set(notIn)];
  return sameModel ? { jobs, model: await modelOf(model) } : { jobs };
}

async function modelOf(options: ModelOptions): Promise<NonNullable<NotIn['model']>> {
  const { name, version } = (await localModel(options, '--same-model')).config;
  return { name, version };
}

function assertNoFolders({ all }: EnqueueSources): void {
  const folder = all.find(({ format }) => format === 'folder');
  if (folder === undefined) return;
  throw new CommandError(
    `${folder.name}: --not-in compares URLs, and the images of a folder get new URLs with each job: enqueue URLs or an s3:// prefix`,
  );
}

/** A mistyped name would silently leave out nothing. */
async function expectResultsOf(target: JobTarget, job: string): Promise<void> {
  if ((await readJob(target, job)) !== undefined) return;
  for await (const _part of allParts(target, 'results', { job })) return;
  throw new CommandError(`no job ${job} in the bucket ${target.resultsBucket}: see labelqueue status`);
}

async function enqueuedIn(target: JobTarget, jobs: readonly string[]): Promise<number> {
  const descriptions = await Promise.all(jobs.map((job) => readJob(target, job)));
  return descriptions.reduce((sum, description) => sum + (description?.images ?? 0), 0);
}
