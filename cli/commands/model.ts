import { Argument, Command } from 'commander';
import { DEFAULT_TOP_K } from '../../shared/contract/limits.ts';
import { NETWORKS } from '../model/get/networks.ts';
import { jsonOption, trustModelOption, wholeNumber } from '../options.ts';
import { teachCommand } from './model-teach.ts';
import { whenRun } from './when-run.ts';

export function modelCommand(): Command {
  return new Command('model')
    .description('Work with your own models.')
    .helpCommand(false)
    .addCommand(checkCommand())
    .addCommand(teachCommand())
    .addCommand(getCommand())
    .addCommand(convertCommand());
}

function checkCommand(): Command {
  return new Command('check')
    .description('Load a model folder as a worker does, measure it, and warn about likely mistakes.')
    .argument('<folder>', 'a SavedModel, a TensorFlow.js model or a Teachable Machine export')
    .argument('[photo...]', 'photos to label (default: the sample photos)')
    .option('--top <k>', 'labels per photo', wholeNumber(1, 1_000), DEFAULT_TOP_K)
    .addOption(trustModelOption())
    .addOption(jsonOption())
    .addHelpText('after', '\ndocs/models.md describes model folders and what the warnings mean.')
    .action(whenRun(async () => (await import('../model/model.ts')).check));
}

function getCommand(): Command {
  return new Command('get')
    .description('Download the weights of a network with pip, verify them, and build a model folder.')
    .addArgument(new Argument('<network>', 'network name').choices([...NETWORKS.keys()]))
    .argument('[folder]', 'model folder to write (default: the name of the network, in the current folder)')
    .addHelpText('after', '\ndocs/models.md compares the networks: accuracy, time, price, size.')
    .action(whenRun(async () => (await import('../model/get/model-get.ts')).getModel));
}

function convertCommand(): Command {
  return new Command('convert')
    .description('Convert a TensorFlow.js model to a SavedModel: the same labels, faster.')
    .argument('<folder>', 'a model folder with a TensorFlow.js model, or a Teachable Machine export')
    .argument('[out]', "model folder to write (default: the input folder's name plus -saved-model)")
    .addOption(trustModelOption())
    .addOption(jsonOption())
    .addHelpText('after', '\ndocs/models.md describes which models can be converted.')
    .action(whenRun(async () => (await import('../model/convert/model-convert.ts')).convert));
}
