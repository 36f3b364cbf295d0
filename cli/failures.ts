import { Command } from 'commander';
import type { ErrorCode } from '../shared/contract/error-codes.ts';
import { type ExportOptions, exportSelection, withExportOptions } from './export-command.ts';
import { errorCodesOption, jobArgument } from './options.ts';

type Options = ExportOptions & { code?: ErrorCode[] };

export function failuresCommand(): Command {
  const command = new Command('failures')
    .description('Writes the images of a job that failed, each with its code, stage, message and attempts.')
    .addArgument(jobArgument())
    .addOption(errorCodesOption());
  return withExportOptions(command, {
    csv: 'code, stage, message, retryable',
    parquet: 'error as a struct',
  }).action(async (job: string, options: Options, self: Command) => {
    const { code } = options;
    await exportSelection(job, { kind: 'failures', ...(code !== undefined && { codes: code }) }, options, self);
  });
}
