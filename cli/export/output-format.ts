import { basename, extname } from 'node:path';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { Format } from '../../shared/jobs/export-formats.ts';

/** How a file is written. */
export type OutputFormat = { format: Format; gzip: boolean };

const FORMAT_OF_ENDING = new Map<string, Format>([
  ['.jsonl', 'jsonl'],
  ['.csv', 'csv'],
  ['.parquet', 'parquet'],
]);
const GZIP = '.gz';

/** What `--out` may end in; the help of commands and the refusal of other endings name them. */
export const ENDINGS = '.jsonl, .csv, .jsonl.gz, .csv.gz or .parquet';

/**
 * The format that an option or the end of a file's name asks for; JSON lines for a name without an ending, e.g. of a pipe.
 *
 * @param file undefined for standard output
 * @returns what is wrong, when there is no such format
 */
export function outputFormatOf(file: string | undefined, asked: Format | undefined): OutputFormat | string {
  if (file === undefined) return { format: asked ?? 'jsonl', gzip: false };
  const name = basename(file).toLowerCase();
  const gzip = name.endsWith(GZIP);
  const ending = extname(gzip ? name.slice(0, -GZIP.length) : name);
  const format = asked ?? (ending === '' ? 'jsonl' : FORMAT_OF_ENDING.get(ending));
  if (format === undefined) return `${visibleLine(file)}: expected a name that ends in ${ENDINGS}, or --format`;
  if (format === 'parquet' && gzip) return `${visibleLine(file)}: Parquet is compressed as it is: leave out ${GZIP}`;
  return { format, gzip };
}
