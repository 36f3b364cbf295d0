import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findService } from '../../local/running-service.ts';
import { CANCELLED_WORK_MS, DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { scanDeadLetters } from '../../shared/jobs/dead-letters.ts';
import { defaultJobName } from '../../shared/jobs/default-job-name.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import type { JobStatus } from '../../shared/jobs/job-status.ts';
import { markCancelled, newestRun } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { purgeJob } from '../../shared/jobs/purge-job.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { isFinished, requireJobStatus, targetFromEnvironment } from '../jobs/job-target.ts';
import { stateDirectory } from '../project-folder.ts';
import { LOG_GROUP_VARIABLE } from '../stack-variables.ts';
import { commandName } from '../terminal/command-name.ts';
import { counted } from '../terminal/counted.ts';
import { exitInterrupted, interruption, untilAborted, untilInterrupted } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { CommandError, userErrorText } from '../terminal/user-errors.ts';
import { imagesOf, uploadSamples, urlsOf } from './bench-images.ts';
import { type Findings, findingsOf, imagesIn } from './findings.ts';
import { findingsText } from './findings-text.ts';
import { invocationsOf, type LoggedInvocation } from './invocations.ts';
import type { WorkerLog } from './worker-log.ts';

const POLL_MS = 1_000;
/** Longer than a retry delay, and than the visibility timeout of a crashed worker's messages. */
const MAX_MS_WITHOUT_OUTCOME = 15 * 60_000;
/** CloudWatch usually shows lines seconds after they were written. */
const MAX_MS_FOR_LOGS = 90_000;
const LOG_POLL_MS = 3_000;

type Options = { images: number; urls?: string; json?: true };

export async function benchWorkers({ images, urls: list, json }: Options): Promise<void> {
  const listed = list === undefined ? undefined : await urlsOf(list);
  const target = targetFromEnvironment();
  const job = `${defaultJobName('bench', new Date())}-${randomBytes(2).toString('hex')}`;
  const bench = new Bench(target, job, images);
  void untilInterrupted();
  interruption.addEventListener('abort', () =>
    printNote(
      `\nremoving the job ${job}… Press Ctrl-C again to exit at once; then run: ${commandName()} purge ${job} --yes\n`,
    ),
  );
  let findings: Findings | undefined;
  try {
    findings = await bench.measure(listed);
  } catch (error) {
    if (!interruption.aborted) throw error;
  } finally {
    await cleanUpRun(target, job, findings);
  }
  if (interruption.aborted || findings === undefined) return exitInterrupted();
  print(json ? `${JSON.stringify(findings)}\n` : findingsText(findings));
}

class Bench {
  readonly #target: JobTarget;
  readonly #job: string;
  readonly #images: number;

  constructor(target: JobTarget, job: string, images: number) {
    this.#target = target;
    this.#job = job;
    this.#images = images;
  }

  /** @throws the reason of `interruption` once it is aborted */
  async measure(listed: readonly string[] | undefined): Promise<Findings> {
    const [target, job, images] = [this.#target, this.#job, this.#images];
    const log = await findLog(new Date());
    const urls = listed ?? (await uploadSamples(target, job));
    const perMessage = DEFAULT_IMAGES_PER_MESSAGE;
    const plan = newJob({ job, source: 'labelqueue bench', sourceDigest: '', perMessage, images });
    const startedAt = new Date();
    printNote(`job ${job}: ${counted(images, 'image')} of ${counted(urls.length, 'URL')}\n`);
    await enqueue(target, untilAborted(imagesOf(urls, images), interruption), plan);
    const status = await this.#ended();
    const outcomes = await readOutcomes(target, job);
    const invocations = log === undefined ? [] : await this.#invocations(log, status);
    return findingsOf({ status, outcomes, startedAt, perMessage, invocations });
  }

  /** Waits for an outcome of each image. */
  async #ended(): Promise<JobStatus> {
    const counter = new OutcomeCounter(this.#target);
    const progress = startProgress('measured', this.#images);
    try {
      let settled = 0;
      for (
        let giveUpAt = Date.now() + MAX_MS_WITHOUT_OUTCOME;
        ;
        await delay(POLL_MS, undefined, { signal: interruption })
      ) {
        const status = await requireJobStatus(this.#target, this.#job, { counter });
        if (isFinished(status)) return status;
        if (status.classified + status.failed > settled) giveUpAt = Date.now() + MAX_MS_WITHOUT_OUTCOME;
        settled = status.classified + status.failed;
        progress.update(settled);
        if (Date.now() > giveUpAt) throw new CommandError(noOutcomeText(status));
      }
    } finally {
      progress.stop();
    }
  }

  async #invocations(log: WorkerLog, { classified, failed }: JobStatus): Promise<LoggedInvocation[]> {
    const isComplete = (found: readonly LoggedInvocation[]) =>
      imagesIn(found) >= classified + failed &&
      (!log.hasReports || found.every(({ billedMs }) => billedMs !== undefined));
    const giveUpAt = Date.now() + MAX_MS_FOR_LOGS;
    try {
      for (;;) {
        const found = invocationsOf(await log.lines(), this.#job);
        if (isComplete(found) || Date.now() > giveUpAt) return found;
        await delay(LOG_POLL_MS, undefined, { signal: interruption });
      }
    } catch (error) {
      const reason = interruption.aborted ? undefined : userErrorText(error);
      if (reason === undefined) throw error;
      printNote(`${log.name} could not be read, so stages and billed times are left out: ${reason}\n`);
      return [];
    }
  }
}

function noOutcomeText({ queue, remaining }: JobStatus): string {
  return (
    `expected an outcome within ${MAX_MS_WITHOUT_OUTCOME / 60_000} min, got none: ${counted(remaining ?? 0, 'image')} remaining, ` +
    `${counted(queue.waiting, 'message')} waiting, ${queue.inFlight} in flight; see the worker logs`
  );
}

/** The log of the stack, or of `labelqueue local` if the settings point at it. */
async function findLog(now: Date): Promise<WorkerLog | undefined> {
  const { cloudWatchLog, localLog } = await import('./worker-log.ts');
  const group = process.env[LOG_GROUP_VARIABLE];
  if (group !== undefined && group !== '') return cloudWatchLog(group, now);
  const folder = join(stateDirectory(), 'local');
  const service = findService(folder);
  const isMeant = service?.environment['AWS_ENDPOINT_URL'] === process.env['AWS_ENDPOINT_URL'];
  return service !== undefined && isMeant ? localLog(join(folder, 'workers.log')) : undefined;
}

/**
 * Removes everything that the run created. Remaining messages are acknowledged without work.
 *
 * @param findings undefined when the job has not ended: workers continue until they notice the cancellation
 */
async function cleanUpRun(target: JobTarget, job: string, findings: Findings | undefined): Promise<void> {
  const of = await newestRun(target, job);
  if (findings === undefined && of.run !== undefined) {
    if (!interruption.aborted) printNote(`removing the job ${job}…\n`);
    await markCancelled(target, of, 'labelqueue bench');
    await delay(CANCELLED_WORK_MS);
  }
  await purgeJob(target, job);
  // Scanning the DLQ takes some seconds.
  if (findings?.failed === 0) return;
  await scanDeadLetters(target, async ({ body }) => {
    const message = parseMessage(body);
    return !(message instanceof MalformedMessage) && message.job === job;
  });
}
