import { type Command, InvalidArgumentError } from 'commander';
import { allowHostOption, modelOption, trustModelOption, wholeNumber } from '../options.ts';

/** A sample is reviewed by a person. */
const MAX_SAMPLE = 1_000;
const MAX_SEED = 2 ** 31 - 1;

/** The options of `enqueue` that label a sample instead of sending. */
export function withSampleOptions(command: Command): Command {
  return command
    .option(
      '--sample <n>',
      `instead of sending: label up to ${MAX_SAMPLE} random images on this machine, print a table and write a report page`,
      wholeNumber(1, MAX_SAMPLE),
    )
    .option(
      '--seed <n>',
      'with --sample: draws the same images for the same number (default: random)',
      wholeNumber(0, MAX_SEED),
    )
    .option('--report <file>', 'with --sample: report page to write (default: sample-<job>.html)', htmlFile)
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(allowHostOption());
}

/** For commander. */
function htmlFile(text: string): string {
  if (/\.html?$/i.test(text)) return text;
  throw new InvalidArgumentError('Expected a file name that ends in .html.');
}
