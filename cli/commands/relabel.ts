import { Command } from 'commander';
import { DEFAULT_TOP_K, MAX_TOP_K } from '../../shared/contract/limits.ts';
import { jobArgument, jobName, modelOption, trustModelOption, wholeNumber } from '../options.ts';
import { withExportOptions } from './export-options.ts';
import { withResultsOptions } from './results-options.ts';
import { whenRun } from './when-run.ts';

export function relabelCommand(): Command {
  const command = new Command('relabel')
    .description('Compute new results of a job from the embeddings in its lines, without fetching images.')
    .addArgument(jobArgument())
    .addOption(modelOption())
    .addOption(trustModelOption())
    .option('--top <k>', 'labels per image', wholeNumber(1, MAX_TOP_K), DEFAULT_TOP_K)
    .option('--job <name>', 'write the results to the bucket as a new job of this name, instead of a file', jobName);
  return withExportOptions(withResultsOptions(command), {
    jsonl: 'the lines as the worker wrote them, with other labels and without embeddings',
    csv: 'label1, score1, label2, ...',
    parquet: 'labels as a list of structs',
  }).action(whenRun(async () => (await import('../relabel/relabel.ts')).relabel));
}
