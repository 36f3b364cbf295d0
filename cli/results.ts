import type { Command } from 'commander';
import type { Selection } from '../shared/jobs/outcomes/export-outcomes.ts';
import { type ExportOptions, exportSelection } from './export-command.ts';

type Options = ExportOptions & { minScore?: number; label?: string; inOrder?: true };

/** Writes the labels of a job to a file or to standard output. */
export async function results(job: string, options: Options, self: Command): Promise<void> {
  const { minScore, label, inOrder } = options;
  const selection: Selection = {
    kind: 'results',
    ...(minScore !== undefined && { minScore }),
    ...(label !== undefined && { label }),
    ...(inOrder && { inOrder }),
  };
  await exportSelection(job, selection, options, self);
}
