import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { scanDeadLetters } from '../../shared/jobs/dead-letters.ts';
import { isCancelled, newestRun, readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { hasFiles } from '../../shared/jobs/purge-job.ts';
import { type RedriveResult, redrive } from '../../shared/jobs/redrive.ts';
import { counted } from '../terminal/counted.ts';
import { interruptible, sameCommand } from '../terminal/interruption.ts';
import { checkOutput } from '../terminal/output-file.ts';
import { print } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { targetFromEnvironment } from './job-target.ts';
import { openLineFile } from './line-file.ts';

type Options = { code?: string[]; dryRun?: true; unreadable?: true; out: string; force?: boolean; json?: true };

/** What becomes of dead letters of a job that was purged. */
const OF_EARLIER_RUNS = 'they are never sent again; delete them in the SQS console, or let them expire';

/** Or there are more than SQS shows to one reader. */
const HELD_BY_OTHERS = 'other readers, or a redrive that was interrupted, have them; run it again in some minutes';

/** Sends the failed images of a job again, or saves the dead letters that are not messages. */
export async function redriveJob(job: string | undefined, options: Options): Promise<void> {
  const target = targetFromEnvironment();
  interruptible(() => `interrupted: what was sent again stays sent; to send the others: ${sameCommand()}`);
  if (options.unreadable) return saveUnreadable(target, options);
  if (job === undefined) throw new CommandError('expected a job, or --unreadable');
  const of = await newestRun(target, job);
  if (await isCancelled(target, of)) throw new CommandError(whyNothingIsSent(job));
  const { code, dryRun = false } = options;
  const codes = code === undefined ? undefined : new Set(code);
  const perMessage = DEFAULT_IMAGES_PER_MESSAGE;
  const redriven = await redrive(target, { ...of, codes, perMessage, dryRun }, new Date());
  if (redriven.images + redriven.deadLetters === 0 && !(await exists(target, job)))
    throw new NoSuchJobError(target, job);
  if (options.json) print(`${JSON.stringify({ job, dryRun, ...redriven })}\n`);
  else if (dryRun) print(`job ${job}: would send ${counted(redriven.images, 'image')} again\n`);
  else {
    print(
      `job ${job}: ${counted(redriven.images, 'image')} sent again, ${counted(redriven.deadLetters, 'dead letter')} removed${leftInQueue(redriven)}\n`,
    );
  }
}

function leftInQueue({ ofEarlierRuns, notLookedAt }: RedriveResult): string {
  const ofRuns =
    ofEarlierRuns === 0 ? '' : `; ${ofEarlierRuns} dead letters of earlier runs left in the DLQ: ${OF_EARLIER_RUNS}`;
  return ofRuns + notSeen(notLookedAt);
}

/** Their job is known once they are received. */
function notSeen(letters: number): string {
  return letters === 0
    ? ''
    : `; about ${counted(letters, 'letter')} of the DLQ could not be looked at: ${HELD_BY_OTHERS}`;
}

function whyNothingIsSent(job: string): string {
  return `the job ${job} is cancelled: its images would be dropped; purge it and enqueue it again, or enqueue its source under another name with --not-in ${job}`;
}

/** Looked up last: messages from elsewhere have jobs too, of which there may be nothing but dead letters. */
async function exists(target: JobTarget, job: string): Promise<boolean> {
  return (await readJob(target, job)) !== undefined || hasFiles(target, job);
}

/** They stay in the DLQ: nobody but their producer knows what they were meant to be. */
async function saveUnreadable(target: JobTarget, { out, force = false, json }: Options): Promise<void> {
  await checkOutput({ path: out, force });
  const file = openLineFile(out);
  let count = 0;
  const { notLookedAt } = await scanDeadLetters(target, async ({ body, reason, sentAt }) => {
    const message = parseMessage(body);
    if (!(message instanceof MalformedMessage)) return false;
    count++;
    if (!json) print(`${sentAt.toISOString()}  ${visibleLine(reason ?? message.reason)}\n`);
    // No more bodies are received than the disk takes.
    await file.write(JSON.stringify({ sentAt, reason: reason ?? message.reason, body }));
    return false;
  });
  await file.end();
  if (json) print(`${JSON.stringify({ unreadable: count, out, notLookedAt })}\n`);
  else print(`${counted(count, 'unreadable message')} saved in ${out}${notSeen(notLookedAt)}\n`);
}
