import { Command } from 'commander';
import {
  allowHostOption,
  jobArgument,
  jsonOption,
  modelOption,
  numberBetween,
  trustModelOption,
  wholeNumber,
} from '../options.ts';
import { whenRun } from './when-run.ts';

const DEFAULT_TOP = 10;
const MAX_SIMILAR = 10_000;

export function similarCommand(): Command {
  return new Command('similar')
    .description('List the images of a job that look most like a given image, by their embeddings.')
    .addArgument(jobArgument())
    .argument('[image]', 'a file, the id of an image of the job, or a URL')
    .option('--top <n>', 'number of images or pairs', wholeNumber(1, MAX_SIMILAR), DEFAULT_TOP)
    .option('--min-score <score>', 'only those with at least this score, -1 to 1', numberBetween(-1, 1))
    .option('--duplicates', 'instead of an image: list the most similar pairs, with a score of at least 0.85')
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(allowHostOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The score is the cosine similarity of two embeddings: 1 for the same picture.
A file or a URL needs the model of the job, or one with the same trunk; an image
of the job needs no model. docs/embeddings.md shows which scores copies have.
--duplicates takes at most 50,000 images.`,
    )
    .action(whenRun(async () => (await import('../similar/similar.ts')).similar));
}
