import { Command } from 'commander';
import { MAX_REPORT_LABELS } from '../../shared/contract/limits.ts';
import { allowHostOption, forceOption, jobArgument, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

export function reportCommand(): Command {
  return new Command('report')
    .description('Write a page about a job: labels, confidence, speed, failures, and sample images.')
    .addArgument(jobArgument())
    .option('--out <file>', 'output file', 'report.html')
    .addOption(forceOption())
    .option(
      '--images <n>',
      `images per label, for the ${MAX_REPORT_LABELS} most frequent labels; 0 for none`,
      wholeNumber(0, 20),
      4,
    )
    .addOption(allowHostOption())
    .option('--json', 'print the summary as one JSON document')
    .addHelpText(
      'after',
      `
The page is one file: charts and thumbnails are embedded. Images are fetched
again, by the same rules as in the worker; those that cannot be fetched are left
out. For s3:// URLs, set SOURCE_BUCKETS.`,
    )
    .action(whenRun(async () => (await import('../report/report.ts')).report));
}
