import type { Command } from 'commander';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { type ExportOptions, exportSelection } from './export-command.ts';

type Options = ExportOptions & { code?: ErrorCode[] };

/** Writes the failures of a job to a file or to standard output. */
export async function failures(job: string, options: Options, self: Command): Promise<void> {
  const { code } = options;
  await exportSelection(job, { kind: 'failures', ...(code !== undefined && { codes: code }) }, options, self);
}
