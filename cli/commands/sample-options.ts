import { type Command, InvalidArgumentError } from 'commander';
import { allowHostOption, modelOption, trustModelOption, wholeNumber } from '../options.ts';

/** What is labeled here is looked at by a person. */
const MAX_SAMPLE = 1_000;
const MAX_SEED = 2 ** 31 - 1;

/** The options of `enqueue` that label a sample in place of sending. */
export function withSampleOptions(command: Command): Command {
  return command
    .option(
      '--sample <n>',
      `instead of sending: label ${MAX_SAMPLE} random images at most right here, print a table, write a report page`,
      wholeNumber(1, MAX_SAMPLE),
    )
    .option('--seed <n>', 'with --sample: the same images as another time (default: any)', wholeNumber(0, MAX_SEED))
    .option('--report <file>', 'with --sample: where the page goes (default: sample-<job>.html)', htmlFile)
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(allowHostOption());
}

/** For commander. */
function htmlFile(text: string): string {
  if (/\.html?$/i.test(text)) return text;
  throw new InvalidArgumentError('Expected the name of a file that ends in .html.');
}
