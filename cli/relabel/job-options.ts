import type { ExportOptions } from '../export/export-command.ts';
import type { ResultsOptions } from '../export/results.ts';

/** The options of `relabel` that apply to an output file. */
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
 * Checks the options beside `--job`, which writes all results as a job.
 *
 * @returns the text of a usage error, if any
 */
export function jobOptionsProblem(options: ExportOptions & ResultsOptions): string | undefined {
  const given = Object.entries(OF_FILES).filter(([option]) => options[option as keyof typeof OF_FILES] !== undefined);
  if (given.length === 0) return undefined;
  const names = given.map(([, name]) => name).join(', ');
  return `--job writes all results to the bucket as a job: it cannot be combined with ${names}`;
}
