import type { Command } from 'commander';
import { numberBetween } from '../options.ts';

/** The options that say which results of a job are wanted. */
export function withResultsOptions(command: Command): Command {
  return command
    .option('--in-order', 'in the order of the source; images that are not in it last')
    .option('--min-score <score>', 'images with a label of at least this score, 0 to 1', numberBetween(0, 1))
    .option(
      '--label <pattern>',
      "images with a label like this, e.g. '*cat*'; together with --min-score, of that score",
    );
}
