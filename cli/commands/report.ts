import { Command } from 'commander';
import { MAX_REPORT_LABELS } from '../../shared/contract/limits.ts';
import { allowHostOption, forceOption, jobArgument, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

export function reportCommand(): Command {
  return new Command('report')
    .description('Make a page about a job: labels, confidence, speed, failures, and images of each label.')
    .addArgument(jobArgument())
    .option('--out <file>', 'where to', 'report.html')
    .addOption(forceOption())
    .option(
      '--images <n>',
      `images a label, of the ${MAX_REPORT_LABELS} most frequent; 0 for none`,
      wholeNumber(0, 20),
      4,
    )
    .addOption(allowHostOption())
    .option('--json', 'print the summary as one JSON document')
    .addHelpText(
      'after',
      `
The page needs nothing but itself: charts and thumbnails are in it. Images are fetched once more, with
the care of the worker; those that cannot be fetched are left out. For s3:// URLs set SOURCE_BUCKETS.`,
    )
    .action(whenRun(async () => (await import('../report/report.ts')).report));
}
