import { type Command, Option } from 'commander';
import { repeatedJobs } from '../options.ts';

/** The options of `enqueue` that leave out what other jobs have classified. */
export function withNotInOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--not-in <job>', 'skip images whose URL this job has classified; may be repeated').argParser(
        repeatedJobs,
      ),
    )
    .option(
      '--same-model',
      'with --not-in: skip only images that the same model classified (--model, MODEL_DIR or the default)',
    );
}
