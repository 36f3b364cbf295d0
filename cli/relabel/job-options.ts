import type { ExportOptions } from '../export/export-command.ts';
import type { ResultsOptions } from '../export/results.ts';

/** The options of `relabel` that are about a file, or choose what is written to it. */
const OF_FILES = {
  out: '--out',
  format: '--format',
  force: '--force',
  json: '--json',
  inOrder: '--in-order',
  minScore: '--min-score',
  label: '--label',
} as const satisfies Partial<Record<keyof (ExportOptions & ResultsOptions), string>>;

/**
 * What is wrong with options beside `--job`, which writes all results as a job.
 *
 * @returns a text for a usage error
 */
export function jobOptionsProblem(options: ExportOptions & ResultsOptions): string | undefined {
  const given = Object.entries(OF_FILES).filter(([option]) => options[option as keyof typeof OF_FILES] !== undefined);
  if (given.length === 0) return undefined;
  const names = given.map(([, name]) => name).join(', ');
  return `--job writes all results into the bucket as a job, and ${names} is for a file: choose one of them`;
}
