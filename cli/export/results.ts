import type { Command } from 'commander';
import { type ExportOptions, exportSelection } from './export-command.ts';
import type { Selection } from './export-outcomes.ts';

/** Which results are selected. */
export type ResultsOptions = { minScore?: number; label?: string; inOrder?: true };

/** Writes the labels of a job to a file or to standard output. */
export async function results(job: string, options: ExportOptions & ResultsOptions, self: Command): Promise<void> {
  await exportSelection(job, selectionOf(options), options, self);
}

/** The selection of the options of `results`. */
export function selectionOf({ minScore, label, inOrder }: ResultsOptions): Selection {
  return {
    kind: 'results',
    ...(minScore !== undefined && { minScore }),
    ...(label !== undefined && { label }),
    ...(inOrder && { inOrder }),
  };
}
