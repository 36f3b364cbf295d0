import { basename, extname } from 'node:path';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { Format } from '../../shared/jobs/export-formats.ts';

/** The format of an output file. */
export type OutputFormat = { format: Format; gzip: boolean };

const FORMAT_OF_ENDING = new Map<string, Format>([
  ['.jsonl', 'jsonl'],
  ['.csv', 'csv'],
  ['.parquet', 'parquet'],
]);
const GZIP = '.gz';

/** Supported endings of `--out`, for help and error messages. */
export const ENDINGS = '.jsonl, .csv, .jsonl.gz, .csv.gz or .parquet';

/**
 * The format from an option or from the ending of a file name; JSON lines for a name without an ending, e.g. of a pipe.
 *
 * @param file undefined for standard output
 * @returns an error message, when there is no such format
 */
export function outputFormatOf(file: string | undefined, asked: Format | undefined): OutputFormat | string {
  if (file === undefined) return { format: asked ?? 'jsonl', gzip: false };
  const name = basename(file).toLowerCase();
  const gzip = name.endsWith(GZIP);
  const ending = extname(gzip ? name.slice(0, -GZIP.length) : name);
  const format = asked ?? (ending === '' ? 'jsonl' : FORMAT_OF_ENDING.get(ending));
  if (format === undefined) return `${visibleLine(file)}: expected a name that ends in ${ENDINGS}, or --format`;
  if (format === 'parquet' && gzip) return `${visibleLine(file)}: Parquet is already compressed: omit ${GZIP}`;
  return { format, gzip };
}
