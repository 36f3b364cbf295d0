import { Command, InvalidArgumentError } from 'commander';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { allowHostOption, jsonOption, numberBetween, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

/** Limits and default of the fraction of test photos. */
const HELD_OUT = { least: 0.05, most: 0.5, usual: 0.2 };
const MAX_SEED = 2 ** 31 - 1;

export function teachCommand(): Command {
  return new Command('teach')
    .description('Train a model for your own labels from about twenty photos per label.')
    .argument('<photos>', 'a folder with one folder per label, or a .csv of paths or URLs and labels')
    .option(
      '--out <folder>',
      'model folder to write (default: the name of the photos plus -model, in the current folder)',
    )
    .option('--name <name>', 'model name, written to each result line (default: the name of its folder)', modelName)
    .option(
      '--base <folder>',
      'model folder to start from, whose last layer is a softmax (default: EfficientNet-Lite0)',
    )
    .option('--report <file>', 'write a page with the accuracy and the photos to check, e.g. teach.html')
    .option(
      '--held-out <fraction>',
      'fraction of the photos of each label to test with',
      numberBetween(HELD_OUT.least, HELD_OUT.most),
      HELD_OUT.usual,
    )
    .option('--seed <n>', 'chooses the test photos; the same seed gives the same model', wholeNumber(0, MAX_SEED), 1)
    .addOption(allowHostOption())
    .option('--force', 'replace an existing report, and a model that this command wrote')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Only the last layer of the base model is trained. That takes seconds, and the
new model is as fast as its base. docs/models.md has a walk-through and explains the figures.
Exit code 3: the model was written, but some photos could not be used.`,
    )
    .action(whenRun(async () => (await import('../teach/teach.ts')).teach));
}

const MAX_NAME = 80;

/** For commander: what can stand in a line. */
function modelName(text: string): string {
  if (text.trim() !== '' && text.length <= MAX_NAME && visibleLine(text) === text) return text;
  throw new InvalidArgumentError(`Expected 1 to ${MAX_NAME} visible characters.`);
}
