import { type Command, Option } from 'commander';
import { repeatedJobs } from '../options.ts';

/** The options of `enqueue` that leave out what other jobs have classified. */
export function withNotInOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--not-in <job>',
        'leave out images whose URL this job has classified; may be repeated, needs the results bucket',
      ).argParser(repeatedJobs),
    )
    .option(
      '--same-model',
      'with --not-in: only those that the model of --model, MODEL_DIR or the default has classified',
    );
}
