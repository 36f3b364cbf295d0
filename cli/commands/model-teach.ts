import { Command, InvalidArgumentError } from 'commander';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { allowHostOption, jsonOption, numberBetween, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

/** As much as still is a test, and as much as still leaves something to learn from. */
const HELD_OUT = { least: 0.05, most: 0.5, usual: 0.2 };
const MAX_SEED = 2 ** 31 - 1;

export function teachCommand(): Command {
  return new Command('teach')
    .description('Make a model of your own labels from some twenty photos of each.')
    .argument('<photos>', 'a folder with a folder per label, or a .csv of paths or URLs and labels')
    .option('--out <folder>', 'where the model goes (default: the name of the photos and -model, in this folder)')
    .option(
      '--name <name>',
      "the model's name, which stands in each result line (default: that of its folder)",
      modelName,
    )
    .option('--base <folder>', 'a model folder to teach, whose last layer is a softmax (default: EfficientNet-Lite0)')
    .option('--report <file>', 'write a page with the accuracy and the photos that matter, e.g. teach.html')
    .option(
      '--held-out <share>',
      'of the photos of each label, to test with',
      numberBetween(HELD_OUT.least, HELD_OUT.most),
      HELD_OUT.usual,
    )
    .option('--seed <n>', 'decides what is held out; the same seed gives the same model', wholeNumber(0, MAX_SEED), 1)
    .addOption(allowHostOption())
    .option('--force', 'replace a model that this command has made, and the report')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The last layer of the model is trained anew on what the model sees in your photos; that takes seconds, and
the result is as fast as that model. docs/models.md has a walk-through and explains the figures.
Exit code 3: the model was made, and some photos could not be used.`,
    )
    .action(whenRun(async () => (await import('../teach/teach.ts')).teach));
}

const MAX_NAME = 80;

/** For commander: what can stand in a line. */
function modelName(text: string): string {
  if (text.trim() !== '' && text.length <= MAX_NAME && visibleLine(text) === text) return text;
  throw new InvalidArgumentError(`Expected 1 to ${MAX_NAME} characters that can be seen.`);
}
