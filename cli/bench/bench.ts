import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findService } from '../../local/running-service.ts';
import { CANCELLATION_CHECK_MS, DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { scanDeadLetters } from '../../shared/jobs/dead-letters.ts';
import { defaultJobName } from '../../shared/jobs/default-job-name.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import type { JobStatus } from '../../shared/jobs/job-status.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { purgeJob } from '../../shared/jobs/purge-job.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { hasEnded, knownJobStatus, targetFromEnvironment } from '../jobs/job-target.ts';
import { stateDirectory } from '../project-folder.ts';
import { LOG_GROUP_VARIABLE } from '../stack-variables.ts';
import { commandName } from '../terminal/command-name.ts';
import { counted } from '../terminal/counted.ts';
import { endInterrupted, interruption, untilAborted, untilInterrupted } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { CommandError, expectedFailureText } from '../terminal/user-errors.ts';
import { imagesOf, uploadSamples, urlsOf } from './bench-images.ts';
import { type Findings, findingsOf, imagesIn } from './findings.ts';
import { findingsText } from './findings-text.ts';
import { invocationsOf, type LoggedInvocation } from './invocations.ts';
import type { WorkerLog } from './worker-log.ts';

const POLL_MS = 1_000;
/** Longer than a retry waits, and than a worker that died holds its messages. */
const MOST_MS_WITHOUT_OUTCOME = 15 * 60_000;
/** CloudWatch shows lines seconds after they were written, as a rule. */
const MOST_MS_FOR_LOGS = 90_000;
const LOG_POLL_MS = 3_000;

type Options = { images: number; urls?: string; json?: true };

export async function benchWorkers({ images, urls: list, json }: Options): Promise<void> {
  const listed = list === undefined ? undefined : await urlsOf(list);
  const target = targetFromEnvironment();
  const job = `${defaultJobName('bench', new Date())}-${randomBytes(2).toString('hex')}`;
  const bench = new Bench(target, job, images);
  void untilInterrupted();
  interruption.addEventListener('abort', () =>
    printNote(`\nremoving the job ${job}… Ctrl-C again ends at once; then: ${commandName()} purge ${job} --yes\n`),
  );
  let findings: Findings | undefined;
  try {
    findings = await bench.measure(listed);
  } catch (error) {
    if (!interruption.aborted) throw error;
  } finally {
    await takeAway(target, job, findings);
  }
  if (interruption.aborted || findings === undefined) return endInterrupted();
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
        let giveUpAt = Date.now() + MOST_MS_WITHOUT_OUTCOME;
        ;
        await delay(POLL_MS, undefined, { signal: interruption })
      ) {
        const status = await knownJobStatus(this.#target, this.#job, { counter });
        if (hasEnded(status)) return status;
        if (status.classified + status.failed > settled) giveUpAt = Date.now() + MOST_MS_WITHOUT_OUTCOME;
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
    const giveUpAt = Date.now() + MOST_MS_FOR_LOGS;
    try {
      for (;;) {
        const found = invocationsOf(await log.lines(), this.#job);
        if (isComplete(found) || Date.now() > giveUpAt) return found;
        await delay(LOG_POLL_MS, undefined, { signal: interruption });
      }
    } catch (error) {
      const reason = interruption.aborted ? undefined : expectedFailureText(error);
      if (reason === undefined) throw error;
      printNote(`${log.name} could not be read, so stages and billed times are left out: ${reason}\n`);
      return [];
    }
  }
}

function noOutcomeText({ queue, toGo }: JobStatus): string {
  return (
    `expected an outcome within ${MOST_MS_WITHOUT_OUTCOME / 60_000} min, there was none: ${counted(toGo ?? 0, 'image')} to go, ` +
    `${queue.waiting} messages waiting, ${queue.inFlight} in flight; see what the workers log`
  );
}

/** That of the stack, or of `labelqueue local` where that is what the settings point at. */
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
 * Removes whatever the run has made. Messages that are left of it are acknowledged without work.
 *
 * @param findings undefined when the job has not ended: workers then go on until they know that it is cancelled
 */
async function takeAway(target: JobTarget, job: string, findings: Findings | undefined): Promise<void> {
  await purgeJob(target, job);
  if (findings === undefined) {
    await delay(CANCELLATION_CHECK_MS);
    await purgeJob(target, job);
  }
  // To look through the DLQ takes some seconds.
  if (findings?.failed === 0) return;
  await scanDeadLetters(target, async ({ body }) => {
    const message = parseMessage(body);
    return !(message instanceof MalformedMessage) && message.job === job;
  });
}
