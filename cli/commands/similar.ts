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
const MAX_API_TOP_K = 10_000;

export function similarCommand(): Command {
  return new Command('similar')
    .description('List the images of a job that look most like an image, by the embeddings in its lines.')
    .addArgument(jobArgument())
    .argument('[image]', 'a file, the id of an image of the job, or a URL')
    .option('--top <n>', 'images, or pairs', wholeNumber(1, MAX_API_TOP_K), DEFAULT_TOP)
    .option('--min-score <score>', 'only those with at least this cosine, -1 to 1', numberBetween(-1, 1))
    .option('--duplicates', 'in place of an image: the pairs of images that are most alike, from 0.85 on')
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(allowHostOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The score is the cosine of two embeddings: 1 for the same picture. The model is for a file or a URL,
and must be the one of the job, or have the same trunk; an image of the job needs none.
docs/embeddings.md shows which scores copies have. --duplicates takes up to 50,000 images.`,
    )
    .action(whenRun(async () => (await import('../similar/similar.ts')).similar));
}
