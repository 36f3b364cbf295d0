import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { JobRun } from '../../shared/contract/job-run.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { Format } from '../../shared/jobs/export-formats.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { targetFromEnvironment } from '../jobs/job-target.ts';
import { commandName } from '../terminal/command-name.ts';
import { counted } from '../terminal/counted.ts';
import { interruptible, rerunCommand } from '../terminal/interruption.ts';
import { canBeReplaced, checkOutput, type Output, writeOutput } from '../terminal/output-file.ts';
import { startProgress } from '../terminal/progress.ts';
import { onTerminal, print, printNote } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { createWorkFolder } from '../terminal/work-folder.ts';
import type { RewriteLines } from './download-parts.ts';
import type { Selection } from './export-outcomes.ts';
import type { OutcomeDatabase } from './outcome-database.ts';
import { outputFormatOf } from './output-format.ts';
import type { Summary } from './summarize.ts';

export type ExportOptions = {
  format?: Format;
  out?: string;
  force?: boolean;
  json?: true;
  /** How result lines are read, if not as written. */
  reading?: ReadingOptions;
};

/** Writes the selected outcomes of a job to a file or to standard output. */
export async function exportSelection(
  job: string,
  selection: Selection,
  { format: asked, out, force = false, json, reading = {} }: ExportOptions,
  command: Command,
): Promise<void> {
  const file = out === '-' ? undefined : out;
  if (json && file === undefined) command.error('error: --json requires --out: both would go to standard output');
  const found = outputFormatOf(file, asked);
  if (typeof found === 'string') command.error(`error: ${found}`);
  const { format, gzip } = found;
  if (format === 'parquet' && file === undefined && onTerminal.output) {
    command.error('error: refusing to write Parquet to a terminal; use --out FILE');
  }
  const output = { path: file, force };
  const summaryOutput = selection.kind === 'results' ? await summaryBeside(output, job) : undefined;
  await checkOutput(output);
  if (summaryOutput !== undefined) await checkOutput(summaryOutput);
  // CSV has no place for an embedding.
  const keepsEmbeddings = selection.kind === 'results' && format !== 'csv';
  await withOutcomes(job, { keepsEmbeddings, ...reading }, async ({ database, summary, folder, target }) => {
    if (selection.inOrder) await orderLike(target, summary, database, folder);
    const { exportOutcomes } = await import('./export-outcomes.ts');
    const images = await writeOutput(output, folder, (path) =>
      exportOutcomes(database, summary, selection, { path, format, gzip, byteOrderMark: file !== undefined }),
    );
    const document = { ...summary, file: { format, images } };
    if (summaryOutput !== undefined) {
      await writeOutput(summaryOutput, folder, (path) => writeFile(path, `${JSON.stringify(document, null, 2)}\n`));
    }
    if (json) print(`${JSON.stringify(document)}\n`);
    if (images === 0) printNote(noMatchText(summary, selection));
    if (file !== undefined) printNote(`${counted(images, 'image')} in ${visibleLine(file)}\n`);
  });
}

/** Empty without conditions. */
function noMatchText({ images }: Summary, { kind, minScore, label, codes }: Selection): string {
  if (minScore === undefined && label === undefined && codes === undefined) return '';
  return kind === 'results'
    ? `0 of ${counted(images.classified, 'image')} match\n`
    : `0 of ${counted(images.failed, 'failed image')} match\n`;
}

/** Undefined beside a device or a pipe, and for standard output. */
async function summaryBeside({ path: file, force }: Output, job: string): Promise<Output | undefined> {
  if (file === undefined || !(await canBeReplaced(file))) return undefined;
  const path = join(dirname(file), `${job}.summary.json`);
  if (resolve(path) !== resolve(file)) return { path, force, isOwn: (there) => isSummaryOf(job, there) };
  throw new CommandError(`${file}: expected another file name, the summary is written to ${basename(path)}`);
}

async function isSummaryOf(job: string, path: string): Promise<boolean> {
  try {
    const content: Partial<Summary> = JSON.parse(await readFile(path, 'utf8'));
    return content.job === job && content.labelqueue !== undefined;
  } catch {
    return false;
  }
}

async function orderLike(target: JobTarget, of: JobRun, database: OutcomeDatabase, folder: string): Promise<void> {
  const { loadOrder } = await import('./load-order.ts');
  if (await loadOrder(target, of, database, folder)) return;
  throw new CommandError(`the source order of ${of.job} is unknown: only \`${commandName()} enqueue\` records it`);
}

export type GatheredOutcomes = {
  target: JobTarget;
  database: OutcomeDatabase;
  summary: Summary;
  /** For temporary files. */
  folder: string;
};

/** What is loaded of the outcomes, and how result lines are rewritten first. */
export type ReadingOptions = {
  keepsEmbeddings?: boolean;
  rewriteResults?: RewriteLines;
  /** Called when everything is read; throws if the outcomes cannot be used. */
  checkRead?: () => void;
};

/** Downloads the outcomes of a job, hands them to `use`, and cleans up. Prints a note if the job is unfinished. */
export async function withOutcomes(
  job: string,
  { keepsEmbeddings = false, rewriteResults, checkRead = () => {} }: ReadingOptions,
  use: (outcomes: GatheredOutcomes) => Promise<void>,
): Promise<void> {
  const target = targetFromEnvironment();
  interruptible(() => `interrupted: nothing was written; to start over: ${rerunCommand()}`);
  const { OutcomeDatabase } = await import('./outcome-database.ts');
  const { gatherOutcomes } = await import('./gather-outcomes.ts');
  using folder = await createWorkFolder();
  await using database = await OutcomeDatabase.create(folder.path, keepsEmbeddings);
  let progress: ReturnType<typeof startProgress> | undefined;
  const summary = await gatherOutcomes(target, job, database, {
    folder: folder.path,
    version: packageJson.version,
    ...(rewriteResults && { rewriteResults }),
    onProgress(lines, total) {
      progress ??= startProgress('read', total);
      progress.update(lines);
    },
  }).finally(() => progress?.stop());
  checkRead();
  const note = unfinishedNote(summary);
  if (note !== undefined) printNote(`${note}\n`);
  await use({ target, database, summary, folder: folder.path });
}

/** The note for a job that may get more outcomes. */
export function unfinishedNote({
  job,
  state,
  images,
}: Pick<Summary, 'job' | 'state'> & {
  images: Pick<Summary['images'], 'enqueued' | 'classified' | 'failed'>;
}): string | undefined {
  const settled = images.classified + images.failed;
  const soFar = `${settled} of ${counted(images.enqueued ?? 0, 'image')} with an outcome`;
  if (state === 'incomplete') return `job ${job} is not complete: ${soFar} so far`;
  if (state === 'cancelled') return `job ${job} was cancelled: ${soFar}`;
  if (state === 'unknown') return `job ${job} was not enqueued with this command: more outcomes may follow`;
  return undefined;
}
