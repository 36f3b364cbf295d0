import { cancelJob } from '../shared/jobs/job-store.ts';
import { counted } from './counted.ts';
import { CommandError } from './expected-failures.ts';
import { isCompleted, knownJobStatus, targetFromEnvironment } from './job-target.ts';
import { print } from './terminal.ts';

/** Cancels the newest run of a job. */
export async function cancel(job: string): Promise<void> {
  const target = targetFromEnvironment();
  const status = await knownJobStatus(target, job);
  const { toGo, run, state } = status;
  if (isCompleted(status)) throw new CommandError(`the job ${job} is ${state}: nothing to cancel`);
  await cancelJob(target, { job, run }, 'labelqueue cancel');
  print(`job ${job}: cancelled with ${counted(toGo, 'image')} to go\n`);
}
