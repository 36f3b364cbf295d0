import { Command } from 'commander';
import { DEFAULT_TOP_K } from '../../shared/contract/limits.ts';
import { allowHostOption, embeddingOption, modelOption, trustModelOption, wholeNumber } from '../options.ts';
import { whenRun } from './when-run.ts';

export function classifyCommand(): Command {
  return new Command('classify')
    .description('Label images on this machine, without a queue.')
    .argument('<image...>', 'paths, http(s) URLs or s3://bucket/key')
    .option('--top <k>', 'labels per image', wholeNumber(1, 1_000), DEFAULT_TOP_K)
    .option('--json', 'one result or failure line per image')
    .addOption(embeddingOption())
    .addOption(modelOption())
    .addOption(trustModelOption())
    .addOption(allowHostOption())
    .action(whenRun(async () => (await import('../classify/classify.ts')).classify));
}
