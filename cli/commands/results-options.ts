import type { Command } from 'commander';
import { numberBetween } from '../options.ts';

/** The options that select results of a job. */
export function withResultsOptions(command: Command): Command {
  return command
    .option('--in-order', 'in the order of the source; images that are not in it come last')
    .option('--min-score <score>', 'only images with a label of at least this score, 0 to 1', numberBetween(0, 1))
    .option(
      '--label <pattern>',
      "only images with a matching label, e.g. '*cat*' (with --min-score: that label's score)",
    );
}
