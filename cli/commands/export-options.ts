import { type Command, Option } from 'commander';
import { FORMATS } from '../../shared/jobs/export-formats.ts';
import { ENDINGS } from '../export/output-format.ts';
import { forceOption } from '../options.ts';
import { commandName } from '../terminal/command-name.ts';

/** How the help describes one line of each format. */
export type ExportFormats = { jsonl?: string; csv: string; parquet: string };

/**
 * The options of `results`, `relabel` and `failures`, and their help.
 */
export function withExportOptions(command: Command, formats: ExportFormats): Command {
  const { jsonl = 'the lines as the worker wrote them', csv, parquet } = formats;
  return command
    .addOption(
      new Option('--format <format>', "output format (default: by the file name's ending, else jsonl)").choices(
        FORMATS,
      ),
    )
    .option('--out <file>', `output file, e.g. ${ENDINGS} (default: standard output)`)
    .addOption(forceOption())
    .option('--json', 'print the summary as one JSON document; needs --out')
    .addHelpText(
      'after',
      `
Formats:
  jsonl    ${jsonl}
  csv      flat: ${csv}, meta.<key>. Text that a
           spreadsheet would run as a formula gets a leading '; the other
           formats leave it unchanged. A file begins with a byte order mark,
           so that Excel reads it as UTF-8
  parquet  ${parquet}, meta as JSON text

Works while the job is running, with the outcomes so far. Each image is counted
once. Temporary files go to TMPDIR: about a third of the size of the part files
(their full size if embeddings are written), and the size of the output with
--in-order or to standard output.
Needs --stack, or QUEUE_URL, DEAD_LETTER_QUEUE_URL and RESULTS_BUCKET;
\`${commandName()} local\` prints them.`,
    );
}
