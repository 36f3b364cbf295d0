import type { Command } from 'commander';
import { embeddingAdvice } from '../embeddings/advice.ts';
import { type ExportOptions, exportSelection } from '../export/export-command.ts';
import type { Selection } from '../export/export-outcomes.ts';
import type { ResultsOptions } from '../export/results.ts';
import { selectionOf } from '../export/results.ts';
import { localModel } from '../local-model.ts';
import type { ModelOptions } from '../options.ts';
import { counted } from '../terminal/counted.ts';
import { EXIT } from '../terminal/exit-codes.ts';
import { printNote } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { jobOptionsProblem } from './job-options.ts';
import { LineRelabeler } from './line-relabeler.ts';
import { openHead } from './open-head.ts';
import { writeRelabeledJob } from './relabeled-job.ts';

type Options = ExportOptions & ResultsOptions & ModelOptions & { top: number; job?: string };

/** Writes new results of a job, computed by the last layer of a model from the embeddings in its lines. */
export async function relabel(job: string, options: Options, self: Command): Promise<void> {
  const { top, job: newJob } = options;
  const problem = newJob === undefined ? undefined : jobOptionsProblem(options);
  if (problem !== undefined) self.error(`error: ${problem}`);
  const head = await openHead(await localModel(options, 'relabel'), top);
  const relabeler = new LineRelabeler(job, head);
  try {
    if (newJob === undefined) await toFile(job, relabeler, options, self);
    else await writeRelabeledJob({ job, newJob, relabeler, checkRead: () => checkRead(job, relabeler) });
  } finally {
    head.layer.dispose();
  }
  if (relabeler.withoutEmbedding === 0) return;
  printNote(`${counted(relabeler.withoutEmbedding, 'line')} without an embedding skipped: ${embeddingAdvice()}\n`);
  process.exitCode = EXIT.finishedWithFailures;
}

async function toFile(job: string, relabeler: LineRelabeler, options: Options, self: Command): Promise<void> {
  const selection: Selection = selectionOf(options);
  const rewriteResults = (part: Buffer) =>
    Buffer.from(
      relabeler
        .relabel(part)
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    );
  const reading = { rewriteResults, checkRead: () => checkRead(job, relabeler) };
  await exportSelection(job, selection, { ...options, reading }, self);
}

/** @throws {CommandError} when there was nothing to relabel */
function checkRead(job: string, { relabeled, withoutEmbedding }: LineRelabeler): void {
  if (relabeled > 0 || withoutEmbedding === 0) return;
  throw new CommandError(`no result line of ${job} has an embedding: ${embeddingAdvice()}`);
}
