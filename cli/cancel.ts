import { Command } from 'commander';
import { cancelJob } from '../shared/jobs/job-store.ts';
import { counted } from './counted.ts';
import { CommandError } from './expected-failures.ts';
import { isCompleted, knownJobStatus, targetFromEnvironment } from './job-target.ts';
import { jobArgument } from './options.ts';
import { print } from './terminal.ts';

export function cancelCommand(): Command {
  return new Command('cancel')
    .description('Stops a job within 30 s. What is done stays; what is left is acknowledged without work.')
    .addArgument(jobArgument())
    .action(async (job: string) => {
      const target = targetFromEnvironment();
      const status = await knownJobStatus(target, job);
      const { toGo, run, state } = status;
      if (isCompleted(status)) throw new CommandError(`the job ${job} is ${state}: nothing to cancel`);
      await cancelJob(target, { job, run }, 'labelqueue cancel');
      print(`job ${job}: cancelled with ${counted(toGo, 'image')} to go\n`);
    });
}
