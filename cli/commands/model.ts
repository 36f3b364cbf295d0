import { Command } from 'commander';
import { DEFAULT_TOP_K } from '../../shared/contract/limits.ts';
import { jsonOption, trustModelOption, wholeNumber } from '../options.ts';
import { teachCommand } from './model-teach.ts';
import { whenRun } from './when-run.ts';

export function modelCommand(): Command {
  return new Command('model')
    .description('What concerns models of your own.')
    .helpCommand(false)
    .addCommand(checkCommand())
    .addCommand(teachCommand());
}

function checkCommand(): Command {
  return new Command('check')
    .description('Tries a model folder as a worker would use it, measures it, and warns of what looks wrong.')
    .argument('<folder>', 'with a SavedModel, a TensorFlow.js model or a Teachable Machine export')
    .argument('[photo...]', 'files to label; without, the sample photos')
    .option('--top <k>', 'labels a photo', wholeNumber(1, 1_000), DEFAULT_TOP_K)
    .addOption(trustModelOption())
    .addOption(jsonOption())
    .addHelpText('after', '\ndocs/models.md describes model folders and what the warnings mean.')
    .action(whenRun(async () => (await import('../model.ts')).check));
}
